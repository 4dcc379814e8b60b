import type { Clock } from "../clock.ts";
import { LandfallError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { IdentityGroup } from "../serial/groups/identity-group.ts";
import type { SmpClient } from "../serial/smp-client.ts";
import type { SasCredential, SasRequest, SasToken } from "./credential.ts";

/** What a credential in an MCU is for. */
export interface McuSasOptions {
  /** The device that the MCU has to be, each time that it is asked. */
  readonly registrationId: string;
  /** The time that the MCU is told: it has no clock. */
  readonly clock: Clock;
}

/**
 * A credential whose key is in an MCU, which writes the tokens itself: it is never told what bytes to sign. The MCU's ceiling
 * on the life of tokens shortens those that would live longer.
 * A token is refused with `key.of-other-device` when another MCU has been plugged in, with the `smp.*` error when the MCU
 * says no or nothing, and with `smp.malformed` when it writes a token for something else; while its port is away, it is
 * waited for.
 */
export function mcuSasCredential(client: SmpClient, { registrationId, clock }: McuSasOptions): SasCredential {
  const mcu = new IdentityGroup(client);
  return {
    kind: "sas",
    async token(request: SasRequest, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<SasToken> {
      const { service, scope, id } = targetOf(request.resource);
      const identity = await mcu.identity(options);
      if (identity.registrationId !== registrationId || (service === "dps" && id !== registrationId)) {
        const expected = service === "dps" ? id : registrationId;
        const found = `expected the device ${expected} at the serial port, got ${identity.registrationId}`;
        throw new LandfallError("key.of-other-device", found);
      }
      const nowSeconds = Math.floor(clock.now() / 1000);
      const wantedSeconds = Math.floor(request.expiresAtMs / 1000);
      const expiresAtSeconds = Math.min(wantedSeconds, nowSeconds + identity.longestTokenLifeSeconds);
      const device = service === "hub" && id !== registrationId ? { deviceId: id } : {};
      const text = await mcu.token({ service, scope, ...device, nowSeconds, expiresAtSeconds }, options);
      requireToken(text, request, expiresAtSeconds);
      return { text, expiresAtMs: expiresAtSeconds * 1000 };
    },
  };
}

function targetOf(resource: string): { readonly service: "dps" | "hub"; readonly scope: string; readonly id: string } {
  const [scope = "", kind, ...rest] = resource.split("/");
  const id = rest.join("/");
  if (kind === "registrations") return { service: "dps", scope, id };
  if (kind === "devices") return { service: "hub", scope, id };
  throw new RangeError(`expected a resource of DPS or of a hub, got ${resource}`);
}

/** A service refuses a token that is not for what it is used for; here the reason can still be told. */
function requireToken(text: Secret, { resource, keyName }: SasRequest, expiresAtSeconds: number): void {
  const [scheme, fields = ""] = text.reveal().split(" ", 2);
  const token = new URLSearchParams(fields.replaceAll("+", "%2B"));
  const wrong = [
    scheme === "SharedAccessSignature" ? undefined : "scheme",
    token.get("sr") === resource ? undefined : "resource",
    token.get("se") === String(expiresAtSeconds) ? undefined : "expiry",
    (token.get("skn") ?? undefined) === keyName ? undefined : "key name",
    token.get("sig") ? undefined : "signature",
  ].filter((part) => part !== undefined);
  if (wrong.length === 0) return;
  throw new LandfallError(
    "smp.malformed",
    `the MCU wrote a token with another ${wrong.join(", ")} than it was asked for`,
  );
}
