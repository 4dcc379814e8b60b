const dps = "Device Provisioning Service";
const hub = "IoT Hub";

const requestId =
  "It only has to tell one request from another, also from those of an earlier connection; 12 digits do that and save 24 bytes in each direction.";
const requestQos =
  "The answer is the acknowledgement: a PUBACK would be one packet more for nothing. Microsoft's C library does the same.";
const keepAlive =
  "What Microsoft's C libraries use. IoT Hub waits one and a half times as long before it closes; a quarter of the pings saved.";
const agent = "Each says who it is; landfall leaves out the machine that it runs on.";

/**
 * Why landfall sends something else than the Azure SDK, by packet and field; a packet that only one of the two sends has
 * the field `sent`. A difference that has no line here fails the test, and so does a line without a difference.
 */
export const explanations: Readonly<Record<string, string>> = {
  [`${dps}/CONNECT/keep-alive`]: keepAlive,
  [`${dps}/CONNECT/user name, ClientVersion`]: agent,
  [`${dps}/CONNECT/token, fields in order`]: "The order has no meaning; one order serves DPS and hub.",
  [`${dps}/CONNECT/token, sr`]:
    "The signature covers the text as it stands, and DPS takes both; percent-encoded is what every client sends to hubs.",
  [`${dps}/PUBLISH of the registration/topic`]: requestId,
  [`${dps}/PUBLISH of the registration/QoS`]: requestQos,
  [`${dps}/PUBLISH of the poll/topic`]: requestId,
  [`${dps}/PUBLISH of the poll/QoS`]: requestQos,
  [`${dps}/PUBLISH of the poll/payload`]: "DPS does not read it.",
  [`${dps}/UNSUBSCRIBE \`$dps/registrations/res/#\`/sent`]:
    "DPS keeps no session, so the end of the connection ends the subscription; a round trip saved.",
  [`${hub}/CONNECT/keep-alive`]: keepAlive,
  [`${hub}/CONNECT/user name, DeviceClientType`]: agent,
  [`${hub}/SUBSCRIBE \`$iothub/methods/POST/#\`/sent`]:
    "The agent answers every call, also of methods it does not have, so that no caller waits for a time-out; the SDK subscribes once its user handles a method.",
};
