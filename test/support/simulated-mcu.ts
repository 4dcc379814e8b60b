import { SimulatedMcu, type SimulatedMcuOptions } from "../../firmware-sim/index.ts";
import { CertificateAuthority } from "../../src/emulator/certificate-authority.ts";
import type { FaultyLinkOptions } from "../../src/testing/faulty-link.ts";
import { MemoryPort } from "../../src/testing/memory-port.ts";
import type { McuFacts, McuUnderTest } from "../contract/mcu-scene.ts";
import { RushingClock } from "./rushing-clock.ts";

const issued = await (await CertificateAuthority.create({ commonName: "The factory" })).issue({
  commonName: "press-7",
  usage: "client",
});

/** The identity of the MCUs that tests simulate. */
export const testIdentity = {
  registrationId: "press-7",
  symmetricKey: Buffer.from("a key that only the factory, the cloud and the MCU know").toString("base64"),
  certificate: issued.certificatePem,
  privateKey: issued.privateKeyPem,
};

/** What the contract's suite may know of a simulated MCU with {@link testIdentity}. */
export const simulatorFacts: McuFacts = {
  symmetricKey: testIdentity.symmetricKey,
  certificate: testIdentity.certificate,
  takesTestImages: true,
  cyclesPower: true,
};

/** A simulated MCU in memory, at the end of a line as good or bad as a test wants it, where nobody waits for time to pass. */
export function mcuInMemory(quality: FaultyLinkOptions = {}, options: SimulatedMcuOptions = {}): McuUnderTest {
  const clock = new RushingClock();
  const mcu = new SimulatedMcu({ identity: testIdentity, seed: 7, clock, ...options });
  const port = new MemoryPort((far) => mcu.attach(far), quality);
  return {
    port,
    clock,
    cyclePower: async () => {
      mcu.cutPower();
      mcu.restorePower();
    },
    close: async () => mcu.close(),
  };
}
