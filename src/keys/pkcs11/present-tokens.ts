import { execFile } from "node:child_process";
import type { Pkcs11Path } from "../../config/pkcs11-uri.ts";

/** What a token says of itself, as far as a URI can ask for it. */
export type PresentToken = Pick<Pkcs11Path, "token" | "manufacturer" | "model" | "serial">;

const timeoutMs = 120_000;

/**
 * The tokens that a module shows, found without any login. `undefined` when that cannot be told, most likely because
 * `pkcs11-tool`, which is asked, is not installed. Never rejects.
 */
export function presentTokens(module: string): Promise<readonly PresentToken[] | undefined> {
  const env = { ...process.env, LC_ALL: "C" };
  return new Promise((resolve) => {
    execFile(
      "pkcs11-tool",
      ["--module", module, "--list-token-slots"],
      { env, timeout: timeoutMs },
      (error, out, said) => {
        if (error === null) resolve(readTokenList(out));
        else resolve(/No slots/i.test(out + said) ? [] : undefined);
      },
    );
  });
}

/** What `pkcs11-tool --list-token-slots` printed: each slot begins in the first column, with its token's facts set in. */
export function readTokenList(text: string): readonly PresentToken[] {
  return text.split(/\n(?=\S)/).flatMap((slot) => {
    const facts = Object.entries(names).flatMap(([name, printed]) => {
      const value = new RegExp(`^ +${printed} *: ?(.*)$`, "m").exec(slot)?.[1]?.trim();
      return value === undefined ? [] : [[name, value] as const];
    });
    return facts.length === 0 ? [] : [Object.fromEntries(facts) as PresentToken];
  });
}

const names: Readonly<Record<keyof PresentToken, string>> = {
  token: "token label",
  manufacturer: "token manufacturer",
  model: "token model",
  serial: "serial num",
};

/** Whether a token is one that a URI means. */
export function isMeant(path: Pkcs11Path, token: PresentToken): boolean {
  return (Object.keys(names) as (keyof PresentToken)[]).every(
    (name) => path[name] === undefined || path[name] === token[name],
  );
}
