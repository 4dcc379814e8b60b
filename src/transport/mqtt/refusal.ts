import { type ErrorCode, LandfallError } from "../../errors.ts";

/** What the return codes of CONNACK mean, and what they become. */
const refusals: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  1: ["transport.refused", "the protocol version is not acceptable"],
  2: ["transport.identifier-rejected", "the client identifier was rejected"],
  3: ["transport.unavailable", "the server is unavailable"],
  4: ["transport.unauthorized", "user name or password is wrong"],
  5: ["transport.unauthorized", "the device is not authorized"],
};

/** The error for a CONNACK that refuses. */
export function connackRefusal(host: string, returnCode: number, cause: unknown): LandfallError {
  const [code, meaning] =
    refusals[returnCode] ?? (["transport.refused", "for a reason that MQTT does not know"] as const);
  return new LandfallError(code, `${host} refused the connection: ${meaning} (CONNACK ${returnCode})`, { cause });
}

/** The error for an HTTP answer that does not open a WebSocket. */
export function upgradeRefusal(host: string, status: number): LandfallError {
  const code: ErrorCode =
    status === 401 || status === 403
      ? "transport.unauthorized"
      : status === 429 || status === 503
        ? "transport.unavailable"
        : "transport.refused";
  return new LandfallError(code, `${host} answered HTTP ${status} and opened no WebSocket`, { service: { status } });
}
