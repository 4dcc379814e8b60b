import { readFile } from "node:fs/promises";
import tls from "node:tls";
import { afterAll, beforeAll, describe } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { Emulator } from "../../src/emulator/index.ts";
import { HttpsDpsTransport } from "../../src/transport/https/https-dps-transport.ts";
import type { CarrierName } from "../../src/transport/mqtt/carrier.ts";
import { MqttDpsTransport } from "../../src/transport/mqtt/mqtt-dps-transport.ts";
import { MqttHubTransport } from "../../src/transport/mqtt/mqtt-hub-transport.ts";
import type { DpsTransport } from "../../src/transport/transport.ts";
import { type DpsHarness, describeDpsTransport } from "../contract/dps-transport.ts";
import { describeHubTransport, type HubHarness } from "../contract/hub-transport.ts";
import { emulatedDpsHarness } from "../support/emulated-dps-harness.ts";
import { emulatedHubHarness } from "../support/emulated-hub-harness.ts";
import { ForeignDevice } from "../support/foreign-device.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { lacks } from "../support/system-peer.ts";
import { WatchedDialer } from "../support/watched-dialer.ts";

const names = ["global.azure-devices-provisioning.net", "hub-a.azure-devices.net", "localhost"];

describe("against the emulator", () => {
  const open = async (carrier: CarrierName) => {
    const emulator = await Emulator.start();
    const { caFile, mqttPort, wsPort } = emulator.ready;
    const dialer = new WatchedDialer(await readFile(caFile, "utf8"));
    return { emulator, dialer, clock: systemClock, carrier, port: () => (carrier === "tcp" ? mqttPort : wsPort) };
  };
  const dpsOver = async (carrier: CarrierName): Promise<DpsHarness> => {
    const way = await open(carrier);
    return emulatedDpsHarness({ ...way, transport: new MqttDpsTransport(way) });
  };
  const dpsOverHttps = async (): Promise<DpsHarness> => {
    const way = await open("websocket");
    const refuseNext = (): void => way.emulator.dps.refuse("unauthorized");
    return emulatedDpsHarness({ ...way, transport: new HttpsDpsTransport(way), refuseNext });
  };
  const hubOver = async (carrier: CarrierName): Promise<HubHarness> => {
    const way = await open(carrier);
    return emulatedHubHarness({ ...way, transport: new MqttHubTransport(way) });
  };

  // A user's own, as the examples have it.
  const ownOverHttps = async (): Promise<DpsHarness> => {
    const { emulator, dialer } = await open("websocket");
    const file = new URL("../../examples/https-dps-transport.mjs", import.meta.url).href;
    const { HttpsDpsTransport } = await import(file);
    const transport: DpsTransport = new HttpsDpsTransport({
      host: "127.0.0.1",
      ca: emulator.authority.certificatePem,
      agent: undefined,
      createConnection: (options: tls.ConnectionOptions) => dialer.watch(tls.connect(options)),
    });
    const refuseNext = (): void => emulator.dps.refuse("unauthorized");
    return emulatedDpsHarness({ emulator, dialer, transport, port: () => emulator.ready.wsPort, refuseNext });
  };

  describeDpsTransport("own-https", ownOverHttps, { refusesByAnswer: true });
  describeDpsTransport("https", dpsOverHttps, { refusesByAnswer: true });
  describeDpsTransport("mqtt", () => dpsOver("tcp"));
  describeDpsTransport("mqtt-ws", () => dpsOver("websocket"));
  describeHubTransport("mqtt", () => hubOver("tcp"));
  describeHubTransport("mqtt-ws", () => hubOver("websocket"));
});

describe.skipIf(lacks("mosquitto"))("through Mosquitto, with the emulator behind it", () => {
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await startMosquitto(names);
  });
  afterAll(() => broker?.[Symbol.asyncDispose]());

  const open = async () => {
    const { port, guardedPort, caPem } = broker;
    const emulator = await Emulator.start({ broker: { url: `mqtts://localhost:${port}`, ca: caPem } });
    const dialer = new WatchedDialer(caPem);
    let refused = false;
    return {
      emulator,
      dialer,
      clock: systemClock,
      // Devices are nobody whom the broker knows by name.
      port: () => (refused ? guardedPort : port),
      refuseNext: () => {
        refused = true;
      },
      cut: () => dialer.cut(),
    };
  };
  /** A twin request of nobody's, so that the hub takes the device for connected. */
  const knock = async ({ events }: Emulator): Promise<void> => {
    const { port, caPem } = broker;
    const dial = () => tls.connect({ host: "127.0.0.1", port, servername: "localhost", ca: caPem });
    await using stranger = await ForeignDevice.connect(dial, { clientId: "" });
    await stranger.publish("$iothub/twin/GET/?$rid=knock");
    await events.next("hub.twin-read");
  };

  describeDpsTransport("mqtt", async () => {
    const way = await open();
    return emulatedDpsHarness({ ...way, transport: new MqttDpsTransport(way) });
  });
  describeHubTransport(
    "mqtt",
    async () => {
      const way = await open();
      const harness = emulatedHubHarness({ ...way, transport: new MqttHubTransport(way) });
      await knock(way.emulator);
      return harness;
    },
    // The broker answers for both sides.
    { acknowledgesByItself: true, acknowledgesOnArrival: true },
  );
});
