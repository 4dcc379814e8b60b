import { beforeAll, describe, expect, test } from "vitest";
import { parsePkcs11Uri } from "../../src/config/pkcs11-uri.ts";
import { presentTokens } from "../../src/keys/pkcs11/present-tokens.ts";
import { TokenTool } from "../../src/keys/pkcs11/token-tool.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacksTokens, SoftToken, softModule } from "../support/soft-token.ts";

describe.skipIf(lacksTokens())("a URI that says more of its token than the label", () => {
  const scratch = new ScratchFolder();
  let serial: string;
  beforeAll(async () => {
    await SoftToken.create(scratch, "device");
    serial = (await presentTokens(softModule))?.find(({ token }) => token === "device")?.serial ?? "";
  });

  const toolFor = (attributes: string): Promise<TokenTool> => {
    const read = parsePkcs11Uri(`pkcs11:token=device;object=key${attributes}?module-path=${softModule}`);
    if (!("value" in read)) throw new Error(read.problem.found);
    return TokenTool.for(read.value);
  };

  test("leads to that token", async () => {
    await expect(toolFor(`;serial=${serial};manufacturer=SoftHSM%20project`)).resolves.toBeInstanceOf(TokenTool);
  });

  test.each([";serial=0000", ";model=another", ";manufacturer=somebody"])(
    "does not lead to one that has the label and not %s",
    async (attribute) => {
      await expect(toolFor(attribute)).rejects.toMatchObject({ code: "key.token-missing" });
    },
  );

  test("does not lead to one of two with the same label by chance", async () => {
    await SoftToken.create(scratch, "device");
    await expect(toolFor(`;serial=${serial}`)).rejects.toMatchObject({
      code: "key.unusable",
      message: expect.stringContaining("found 2"),
    });
  });
});
