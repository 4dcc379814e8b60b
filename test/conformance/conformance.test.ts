import { describe, test } from "vitest";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { clients } from "./clients.ts";
import { dpsFlows } from "./dps-flows.ts";
import { NotSupported } from "./flow.ts";
import { Scene } from "./scene.ts";

const scratch = new ScratchFolder();

for (const client of clients.filter(({ service }) => service === "dps")) {
  describe.concurrent(`${client.package} ${client.transport}`, () => {
    for (const flow of dpsFlows) {
      test(flow.title, async () => {
        await using scene = await Scene.open(
          client,
          client.needsRealNames || flow.needsRealNames === true,
          scratch,
          flow.emulator,
        );
        try {
          await flow.run(scene);
        } catch (error) {
          if (!(error instanceof NotSupported)) throw error;
        }
      });
    }
  });
}
