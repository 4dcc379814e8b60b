import { firmwareContract } from "../support/firmware-under-test.ts";

firmwareContract("host");
