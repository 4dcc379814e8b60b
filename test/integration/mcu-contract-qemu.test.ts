import { firmwareContract } from "../support/firmware-under-test.ts";

firmwareContract("mps2-an385");
