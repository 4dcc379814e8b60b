import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import type { EmulatorReady } from "../../src/emulator/index.ts";
import type { JsonObject } from "../../src/json.ts";
import { writeConfiguration } from "../support/emulated-device.ts";
import { landfall, startLandfall } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const key = Buffer.alloc(32, 7).toString("base64");

/** The user's function: devices of the model `b` go to the second hub; of any other it does not know. */
const asked: JsonObject[] = [];
const webhook = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  const question = JSON.parse(text) as JsonObject;
  asked.push(question);
  const { payload } = question.deviceRuntimeContext as { readonly payload?: { readonly model?: string } };
  if (payload?.model !== "b") response.writeHead(400).end();
  else response.end(JSON.stringify({ iotHubHostName: "second.azure-devices.net", payload: { welcome: "b" } }));
});
afterAll(() => void webhook.close());

describe("a callback that allocates", () => {
  test("is asked by a running emulator, over a real connection, and decides for a running agent", async () => {
    webhook.listen(0, "127.0.0.1");
    await once(webhook, "listening");
    const enrollments = await folder.write(
      "enrollments.toml",
      `[[individual]]
registration_id = "press-07"
allocation = "custom"
callback_url = "http://127.0.0.1:${(webhook.address() as AddressInfo).port}/allocate"

[individual.attestation]
method = "symmetric_key"
primary_key = "${key}"
`,
    );
    const args = ["emulator", "--hub", "first", "--hub", "second", "--enrollments", enrollments];
    await using emulator = startLandfall([...args, "--mqtt-port", "0", "--ws-port", "0"]);
    const { idScope, caFile, connectTo } = (await emulator.json()) as unknown as EmulatorReady & {
      readonly connectTo: readonly string[];
    };
    const provision = async (model: string) => {
      const file = await writeConfiguration(folder, `model-${model}`, {
        provisioning: {
          source: "dps",
          id_scope: idScope,
          payload: { model },
          attestation: { method: "symmetric_key", registration_id: "press-07", symmetric_key: { env: "DEVICE_KEY" } },
        },
        network: { trust_bundle: caFile, connect_to: connectTo },
      });
      return landfall(["provision", "--json", "-c", file], { env: { DEVICE_KEY: key } });
    };

    const refused = await provision("a");
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("400207") });
    const assigned = await provision("b");
    expect(assigned.code).toBe(0);
    expect(JSON.parse(assigned.out)).toMatchObject({
      assignedHub: "second.azure-devices.net",
      payload: { welcome: "b" },
    });
    expect(asked).toEqual(
      ["a", "b"].map((model) => ({
        individualEnrollment: { registrationId: "press-07" },
        deviceRuntimeContext: { registrationId: "press-07", payload: { model } },
        linkedHubs: ["first.azure-devices.net", "second.azure-devices.net"],
      })),
    );
  });
});
