/**
 * Why a service closes a connection. Over MQTT almost every misuse of DPS or IoT Hub ends in a closed connection instead
 * of an error packet, so the emulator's log and record name the rule.
 */
export const rules = {
  "malformed-packet": "the bytes are not MQTT 3.1.1",
  "unexpected-packet": "the packet is not allowed at this point of the conversation",
  "message-too-large": "the message is larger than the service takes",
  "connect-timeout": "no CONNECT arrived in time",
  "keep-alive": "nothing was heard for one and a half times the keep-alive interval",
  "slow-reader": "the client does not read what it is sent",
  "qos-2": "the service does not take messages with QoS 2",
  "unknown-topic": "the service is no broker: only its own topics exist",
  "unknown-filter": "the service is no broker: only its own topic filters can be subscribed to",
  "too-many-subscriptions": "a device may have at most 5 subscriptions",
  "missing-request-id": "the topic carries no $rid",
  "credential-expired": "the shared access signature that opened the connection has expired",
  "taken-over": "a newer connection of the same device id took over",
  "device-disabled": "the device was disabled",
  "device-removed": "the device was removed from the hub",
} as const;

/** A key of {@link rules}. */
export type Rule = keyof typeof rules;
