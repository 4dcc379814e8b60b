import { firmwareContract } from "../support/firmware-under-test.ts";

// The program for the host with the sanitizers on, which end it at the first access out of bounds, overflow or misalignment.
firmwareContract("sanitized");
