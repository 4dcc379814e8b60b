/** Registers one device with DPS. */
import { drive, say } from "./driver.mjs";
import { register } from "./registration.mjs";

await drive(async () => {
  say("registered", { state: await register() });
});
