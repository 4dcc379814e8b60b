/** landfall's agent over classes of the SDK: registers, connects, sends, answers a method, reports. */
import { Agent } from "landfall";
import { AzureSdkDpsTransport, AzureSdkHubTransport } from "landfall/azure-sdk";
import { drive, input, say, transportOf } from "./driver.mjs";

await drive(async () => {
  const agent = await Agent.create(input.configuration, {
    dpsTransport: new AzureSdkDpsTransport({ load: () => transportOf("dps", input.dps) }),
    hubTransport: new AzureSdkHubTransport({ load: () => transportOf("hub", input.hub) }),
  });
  try {
    const answered = new Promise((resolve) => {
      agent.onMethod("ping", async ({ payload }) => {
        setImmediate(resolve);
        return { status: 200, payload: { pong: payload } };
      });
    });
    say("started", await agent.start());
    await agent.send({ hello: "world" }, { properties: { "a b": "ä" } });
    say("reported", { version: await agent.report({ lamp: "on" }) });
    await answered;
  } finally {
    await agent.close();
  }
});
