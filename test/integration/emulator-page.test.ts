import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { RunningProcess } from "../support/landfall-process.ts";
import { readmeBlocks } from "../support/readme.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { installForUser } from "../support/user-folder.ts";

/** A device as Microsoft's samples have it: register, connect to the hub that was assigned, send. */
const device = `
const sdk = require("node:module").createRequire(${JSON.stringify(fileURLToPath(import.meta.url))});
const { ProvisioningDeviceClient } = sdk("azure-iot-provisioning-device");
const { SymmetricKeySecurityClient } = sdk("azure-iot-security-symmetric-key");
const { Client, Message } = sdk("azure-iot-device");
const { PROVISIONING_HOST, PROVISIONING_IDSCOPE, PROVISIONING_REGISTRATION_ID, PROVISIONING_SYMMETRIC_KEY } = process.env;

async function main() {
  const security = new SymmetricKeySecurityClient(PROVISIONING_REGISTRATION_ID, PROVISIONING_SYMMETRIC_KEY);
  const transport = new (sdk("azure-iot-provisioning-device-mqtt").Mqtt)();
  const dps = ProvisioningDeviceClient.create(PROVISIONING_HOST, PROVISIONING_IDSCOPE, transport, security);
  const { assignedHub, deviceId } = await dps.register();
  const connection = \`HostName=\${assignedHub};DeviceId=\${deviceId};SharedAccessKey=\${PROVISIONING_SYMMETRIC_KEY}\`;
  const client = Client.fromConnectionString(connection, sdk("azure-iot-device-mqtt").Mqtt);
  await client.open();
  await client.sendEvent(new Message('{"temperature":21.5}'));
  console.log(\`sent to \${assignedHub} as \${deviceId}\`);
  await client.close();
  process.exit(0);
}
main();
`;

test("the script for a CI job runs as it is printed, with Microsoft's libraries as they are", async () => {
  const folder = new ScratchFolder();
  const env = await installForUser(folder);
  const script = readmeBlocks("docs/emulator.md").find(({ text }) => text.startsWith("set -e"))?.text ?? "";
  await folder.write("device.js", device);
  await using job = new RunningProcess("bash", ["-c", script], { cwd: folder.path, env });
  expect(await job.exited, job.err).toBe(0);
  expect(job.out).toMatch(/^sent to localhost:\d+ as press-07$/m);
  expect(job.out).toContain('"event":"hub.telemetry","hub":"hub-a","deviceId":"press-07"');
  expect(job.err).toContain("press-07 disconnected: the client disconnected");
});
