import { describeCause, type ErrorCode, LandfallError } from "../../errors.ts";

/** What is known about the key that could not be loaded. */
export interface AttemptedKey {
  /** The URI without any PIN. */
  readonly location: string;
  /** The file of the PKCS#11 module. */
  readonly module: string;
  /** Whether the token has taken the PIN before. */
  readonly tookPin: boolean;
}

interface Meaning {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly message: (key: AttemptedKey) => string;
}

/** OpenSSL's words for a failure are its reason codes; where several apply, the first one here tells most. */
const meanings: readonly Meaning[] = [
  {
    pattern: /PIN locked/i,
    code: "key.pin-locked",
    message: ({ location }) => `The token of ${location} has locked its PIN.`,
  },
  {
    pattern: /PIN (incorrect|invalid|expired)|invalid PIN|PIN length|UI_PROCESSING/i,
    code: "key.wrong-pin",
    message: ({ location }) => `The token of ${location} does not take the PIN.`,
  },
  {
    pattern: /PKCS#11 module.*unable to load|unable to load PKCS#11 module|libp11.*load/i,
    code: "key.module-unusable",
    message: ({ module }) => `${module} cannot be loaded as a PKCS#11 module.`,
  },
  {
    pattern: /no such engine|dso not found|could not load the shared library/i,
    code: "key.engine-missing",
    message: () => "OpenSSL cannot load its engine pkcs11.",
  },
  {
    // Of a token that is not there as well: the engine's error does not tell the two apart.
    pattern: /object not found/i,
    code: "key.not-in-token",
    message: ({ location, module }) => `${module} shows no private key ${location}.`,
  },
  {
    // The last one is what the engine says when a module has no slot at all, which is what a reader without a card comes to.
    pattern: /no slots?\b|token not (?:present|recognized)|device removed|pkcs11 engine::invalid parameter/i,
    code: "key.token-missing",
    message: ({ location, module }) => `${module} shows no token at all, so not the one of ${location}.`,
  },
];

/**
 * What an attempt to load a key from a token, or to sign with it, came to, as an error of ours. A token may have words of
 * its own for a wrong PIN: what is not understood is `key.login-failed`, until the token has taken the PIN once.
 */
export function engineFailure(error: unknown, key: AttemptedKey): LandfallError {
  const stack = (error as { readonly opensslErrorStack?: unknown } | undefined)?.opensslErrorStack;
  const words = [describeCause(error), ...(Array.isArray(stack) ? stack.map(String) : [])].join("\n");
  const meaning = meanings.find(({ pattern }) => pattern.test(words));
  if (meaning !== undefined) return new LandfallError(meaning.code, meaning.message(key), { cause: error });
  const message = `The private key ${key.location} cannot be used: ${describeCause(error)}.`;
  return new LandfallError(key.tookPin ? "key.hardware-failed" : "key.login-failed", message, { cause: error });
}
