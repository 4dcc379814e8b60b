import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { Emulator } from "../../src/emulator/index.ts";
import type { CarrierName } from "../../src/transport/mqtt/carrier.ts";
import { MqttDpsTransport } from "../../src/transport/mqtt/mqtt-dps-transport.ts";
import { type DpsHarness, describeDpsTransport } from "../contract/dps-transport.ts";
import { emulatedDpsHarness } from "../support/emulator-harness.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { lacks } from "../support/system-peer.ts";
import { WatchedDialer } from "../support/watched-dialer.ts";

const names = ["global.azure-devices-provisioning.net", "hub-a.azure-devices.net", "localhost"];

describe("against the emulator", () => {
  const overMqtt = async (carrier: CarrierName): Promise<DpsHarness> => {
    const emulator = await Emulator.start();
    const { caFile, mqttPort, wsPort } = emulator.ready;
    const dialer = new WatchedDialer(await readFile(caFile, "utf8"));
    const transport = new MqttDpsTransport({ dialer, clock: systemClock, carrier });
    return emulatedDpsHarness({ emulator, dialer, transport, port: () => (carrier === "tcp" ? mqttPort : wsPort) });
  };

  describeDpsTransport("mqtt", () => overMqtt("tcp"));
  describeDpsTransport("mqtt-ws", () => overMqtt("websocket"));
});

describe.skipIf(lacks("mosquitto"))("through Mosquitto", () => {
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await startMosquitto(names);
  });
  afterAll(() => broker?.[Symbol.asyncDispose]());

  const attached = (): Promise<Emulator> =>
    Emulator.start({ broker: { url: `mqtts://localhost:${broker.port}`, ca: broker.caPem } });

  describeDpsTransport("mqtt", async () => {
    const emulator = await attached();
    const dialer = new WatchedDialer(broker.caPem);
    const transport = new MqttDpsTransport({ dialer, clock: systemClock });
    let refused = false;
    return emulatedDpsHarness({
      emulator,
      dialer,
      transport,
      // Devices are nobody whom the broker knows by name.
      port: () => (refused ? broker.guardedPort : broker.port),
      refuseNext: () => {
        refused = true;
      },
      cut: () => dialer.cut(),
    });
  });
});
