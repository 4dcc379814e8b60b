import { type Pkcs11Uri, shownPkcs11Uri } from "../../config/pkcs11-uri.ts";
import { LandfallError } from "../../errors.ts";
import { isMeant, presentTokens } from "./present-tokens.ts";

/**
 * Makes sure that the token's label leads to the very token that a URI means, for a tool that goes by the label alone. Looks
 * only where the URI says more of the token than its label.
 *
 * Rejects with `key.token-missing` when that token is not there, and with `key.unusable` when others have its label.
 */
export async function requireTokenOfLabel(uri: Pkcs11Uri, module: string): Promise<void> {
  const { token, manufacturer, model, serial } = uri.path;
  if ([manufacturer, model, serial].every((attribute) => attribute === undefined)) return;
  const tokens = await presentTokens(module);
  if (tokens === undefined) return; // whoever runs the tool next learns why
  const location = shownPkcs11Uri(uri);
  if (!tokens.some((each) => isMeant(uri.path, each))) {
    throw new LandfallError("key.token-missing", `${module} does not show the token of ${location}.`);
  }
  const namesakes = tokens.filter((each) => each.token === token).length;
  if (namesakes === 1) return;
  throw new LandfallError(
    "key.unusable",
    `Expected one token of the label in ${location}, because pkcs11-tool tells tokens apart by nothing else; found ${namesakes}.`,
  );
}
