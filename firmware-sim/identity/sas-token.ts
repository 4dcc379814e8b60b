import { createHmac } from "node:crypto";

/** What a token is for. */
export interface TokenRequest {
  readonly service: "dps" | "hub";
  /** Id scope, or the hub's host name. */
  readonly scope: string;
  /** Registration id, or device id. */
  readonly device: string;
  /** Seconds since 1970. */
  readonly expiresAtSeconds: number;
}

/** A shared access signature: HMAC-SHA-256 over the percent-encoded resource, a line feed, and the expiry. */
export function writeSasToken({ service, scope, device, expiresAtSeconds }: TokenRequest, key: Uint8Array): string {
  const resource = encodeURIComponent(`${scope}/${service === "dps" ? "registrations" : "devices"}/${device}`);
  const signature = createHmac("sha256", key).update(`${resource}\n${expiresAtSeconds}`).digest("base64");
  // The provisioning service names the policy of a device's own key; a hub has no name for it.
  const policy = service === "dps" ? "&skn=registration" : "";
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiresAtSeconds}${policy}`;
}
