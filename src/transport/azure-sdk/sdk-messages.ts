import type { CloudMessage, TelemetryMessage } from "../messages.ts";
import type { SdkMessage } from "./sdk-shapes.ts";

/** The property that the library turns into the Plug and Play component of a message. */
const componentProperty = "dt-subject";

/** A message in the shape that the library reads; a text that is empty is none to it. */
export function sdkMessageOf({ payload, properties = {}, component, ...system }: TelemetryMessage): SdkMessage {
  const named = Object.entries(
    component === undefined ? properties : { ...properties, [componentProperty]: component },
  );
  const propertyList = named.map(([key, value]) => ({ key, value }));
  return {
    data: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    messageId: system.messageId ?? "",
    correlationId: system.correlationId ?? "",
    userId: system.userId ?? "",
    contentType: system.contentType ?? "",
    contentEncoding: system.contentEncoding ?? "",
    to: "",
    lockToken: "",
    expiryTimeUtc: undefined,
    properties: { propertyList, count: () => propertyList.length },
  };
}

/** A cloud-to-device message as the library hands it over. */
export function cloudMessageFrom(message: SdkMessage): CloudMessage {
  const { "iothub-ack": ack, ...properties } = Object.fromEntries(
    message.properties.propertyList.map(({ key, value }) => [key, value]),
  );
  const { messageId, correlationId, userId, contentType, contentEncoding, expiryTimeUtc: expiresAt } = message;
  const texts = { messageId, correlationId, userId, contentType, contentEncoding, expiresAt, ack };
  const given = Object.entries(texts).filter(([, text]) => typeof text === "string" && text !== "");
  return { payload: Buffer.from(message.data as Uint8Array), properties, ...Object.fromEntries(given) };
}
