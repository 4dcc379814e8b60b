import { LandfallError } from "../../src/errors.ts";
import { FakeHubTransport } from "../../src/testing/fake-hub-transport.ts";
import { startMqttHubHarness } from "../support/mqtt-hub-harness.ts";
import { testCredential } from "../support/test-dialer.ts";
import { describeHubTransport, type HubHarness } from "./hub-transport.ts";

async function startFake(): Promise<HubHarness> {
  const refusals: Error[] = [];
  const transport = new FakeHubTransport().behave(({ kind }) => (kind === "telemetry" ? undefined : refusals.shift()));
  return {
    transport,
    route: { host: "hub.test" },
    identity: { deviceId: "sensor-17", credential: testCredential },
    telemetry: (count) => transport.latest.telemetryArrived(count),
    holdAcknowledgements: () => {
      transport.latest.autoAck = false;
    },
    acknowledge: () => transport.latest.ack(),
    deliver: ({ payload, ...rest }) =>
      transport.latest.deliverMessage({ ...rest, payload: new Uint8Array(Buffer.from(payload)) }),
    invoke: (name, payload) => transport.latest.invokeMethod({ name, ...(payload === undefined ? {} : { payload }) }),
    setTwin: (twin) => void transport.setTwin(twin),
    pushDesired: (patch) => transport.latest.pushDesired(patch),
    refuseNext: () => void transport.refuseNext(new LandfallError("transport.unauthorized", "not you")),
    refuseTwin: (status) => {
      const code = status === 400 ? "hub.twin-rejected" : "transport.unavailable";
      refusals.push(new LandfallError(code, "no", { service: { status } }));
    },
    breakConnection: () => transport.latest.drop(),
    idle: async () => {
      if (transport.connections.some(({ open }) => open)) throw new Error("a connection is open");
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

describeHubTransport("fake", startFake);
describeHubTransport("mqtt", () => startMqttHubHarness("tcp"));
describeHubTransport("mqtt-ws", () => startMqttHubHarness("websocket"));
