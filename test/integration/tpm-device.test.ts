import { describe, expect, test } from "vitest";

import { inputBufferProperty, readHandles, readProperty } from "../../src/keys/tpm/capability-commands.ts";
import { flushContext } from "../../src/keys/tpm/context-commands.ts";
import { Swtpm, type SwtpmOptions } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { tpmAt } from "../support/tpm-at.ts";

const persistent = 0x81000000;

describe.skipIf(lacks("swtpm"))("a software TPM", () => {
  describe.each<Required<Pick<SwtpmOptions, "socket">>>([{ socket: "tcp" }, { socket: "unix" }])(
    "over a $socket socket",
    (options) => {
      const swtpm = new Swtpm(options);

      test("answers commands, one after the other, whoever asks", async () => {
        await using tpm = tpmAt(swtpm.location);
        const answers = await Promise.all([
          tpm.use((scope) => scope.run(readProperty(inputBufferProperty))),
          tpm.use((scope) => scope.run(readHandles(persistent))),
          tpm.use((scope) => scope.run(readProperty(0x2ff))),
        ]);
        expect(answers).toEqual([1024, [], undefined]);
      });

      test("is asked about what it refuses by name and number", async () => {
        await using tpm = tpmAt(swtpm.location);
        await expect(tpm.use((scope) => scope.run(flushContext(0x80000000)))).rejects.toMatchObject({
          code: "tpm.refused",
          message: "The TPM refused TPM2_FlushContext with TPM_RC_HANDLE (0x1cb, about parameter 1).",
        });
      });

      test("is found again after it went away", async () => {
        await using tpm = tpmAt(swtpm.location);
        const ask = () => tpm.use((scope) => scope.run(readHandles(persistent)));
        await swtpm.kill();
        await expect(ask()).rejects.toMatchObject({ code: "tpm.unavailable" });
        await swtpm.start();
        await expect(ask()).resolves.toEqual([]);
      });
    },
  );
});
