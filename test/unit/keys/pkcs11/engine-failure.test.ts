import { expect, test } from "vitest";
import { engineFailure } from "../../../../src/keys/pkcs11/engine-failure.ts";

const key = { location: "pkcs11:token=t;object=o", module: "/lib/m.so", tookPin: true };

/** As Node puts what OpenSSL has on its stack of errors. */
function openssl(message: string, ...stack: string[]): Error {
  return Object.assign(new Error(message), { opensslErrorStack: stack });
}

test.each([
  ["error:418000A0:PKCS#11 module::PIN incorrect", "key.wrong-pin"],
  ["error:418000A4:PKCS#11 module::PIN locked", "key.pin-locked"],
  ["error:40800065:pkcs11 engine::object not found", "key.not-in-token"],
  ["error:40800067:pkcs11 engine::invalid parameter", "key.token-missing"],
  ["error:418000E0:PKCS#11 module::Token not present", "key.token-missing"],
  ["error:41800032:PKCS#11 module::Device removed", "key.token-missing"],
  ["error:41000401:libp11::Unable to load PKCS#11 module", "key.module-unusable"],
  ["error:12800067:DSO support routines::could not load the shared library", "key.engine-missing"],
  ["error:41800030:PKCS#11 module::Device error", "key.hardware-failed"],
])("%s means %s", (message, code) => {
  const error = openssl(message, "error:13000080:engine routines::failed loading private key");
  expect(engineFailure(error, key)).toMatchObject({ code, cause: error });
});

test("a module that does not load is told from a token that is not there, though both say so", () => {
  const both = openssl(
    "error:41000401:libp11::Unable to load PKCS#11 module",
    "error:40800067:pkcs11 engine::invalid parameter",
  );
  expect(engineFailure(both, key)).toMatchObject({
    code: "key.module-unusable",
    message: expect.stringContaining("/lib/m.so"),
  });
});

test.each(["Device error", "General Error", "Function failed", "Vendor defined"])(
  "%s, of a token that has not taken the PIN yet, may be its word for a wrong one, and is not tried again",
  (words) => {
    const error = openssl(`error:41800030:PKCS#11 module::${words}`);
    expect(engineFailure(error, { ...key, tookPin: false })).toMatchObject({
      code: "key.login-failed",
      retry: "never",
    });
    expect(engineFailure(error, key)).toMatchObject({ code: "key.hardware-failed", retry: "backoff" });
  },
);
