import { expect, test } from "vitest";
import { isMeant, readTokenList } from "../../../../src/keys/pkcs11/present-tokens.ts";

const printed = `Available slots:
Slot 0 (0x14ff2c6c): SoftHSM slot ID 0x14ff2c6c
  token label        : device
  token manufacturer : SoftHSM project
  token model        : SoftHSM v2
  token flags        : login required, rng, token initialized, PIN initialized, other flags=0x20
  hardware version   : 2.6
  firmware version   : 2.6
  serial num         : d88da1a514ff2c6c
  pin min/max        : 4/255
Slot 1 (0x1): A reader: the second one
  token label        : press 7 : left
  token manufacturer : Nobody
  token flags        : login required
  serial num         :
Slot 2 (0x4): SoftHSM slot ID 0x4
  token state:   uninitialized
`;

test("every token that is set up is found in what the tool printed", () => {
  expect(readTokenList(printed)).toEqual([
    { token: "device", manufacturer: "SoftHSM project", model: "SoftHSM v2", serial: "d88da1a514ff2c6c" },
    { token: "press 7 : left", manufacturer: "Nobody", serial: "" },
  ]);
  expect(readTokenList("Available slots:\n")).toEqual([]);
});

test.each([
  [{ token: "device" }, true],
  [{ object: "key" }, true],
  [{ token: "device", object: "key", serial: "d88da1a514ff2c6c" }, true],
  [{ manufacturer: "SoftHSM project", model: "SoftHSM v2" }, true],
  [{ token: "devic" }, false],
  [{ token: "device", serial: "0" }, false],
])("a URI with %o means it: %s", (path, meant) => {
  const [token = {}] = readTokenList(printed);
  expect(isMeant(path, token)).toBe(meant);
});
