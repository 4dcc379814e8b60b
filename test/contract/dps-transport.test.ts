import { LandfallError } from "../../src/errors.ts";
import { FakeDpsTransport } from "../../src/testing/fake-dps-transport.ts";
import type { DpsResponse } from "../../src/transport/transport.ts";
import { startHttpsDpsHarness } from "../support/https-dps-harness.ts";
import { startMqttDpsHarness } from "../support/mqtt-dps-harness.ts";
import { testCredential } from "../support/test-dialer.ts";
import { type DpsHarness, describeDpsTransport } from "./dps-transport.ts";

async function startFake(): Promise<DpsHarness> {
  const reactions: (DpsResponse | "silence")[] = [];
  const transport = new FakeDpsTransport().behave(() => {
    const reaction = reactions.shift();
    return reaction === "silence" ? new Promise(() => {}) : reaction;
  });
  return {
    transport,
    route: { host: "dps.test" },
    identity: { idScope: "0ne00ABCDEF", registrationId: "sensor-17", credential: testCredential },
    next: (reaction) => void (reaction === "break" ? transport.dropNext() : reactions.push(reaction)),
    refuseNext: () => void transport.refuseNext(new LandfallError("transport.unauthorized", "not you")),
    requested: (count) => transport.requested(count),
    idle: async () => {
      if (transport.openChannels > 0) throw new Error(`${transport.openChannels} channels are open`);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

describeDpsTransport("fake", startFake);
describeDpsTransport("mqtt", () => startMqttDpsHarness("tcp"));
describeDpsTransport("mqtt-ws", () => startMqttDpsHarness("websocket"));
describeDpsTransport("https", startHttpsDpsHarness, { refusesByAnswer: true });
