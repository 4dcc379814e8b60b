import type { Clock } from "../../clock.ts";
import { describeCause } from "../../errors.ts";
import { isJsonObject } from "../../json.ts";
import type { Logger } from "../../log.ts";
import type { Dps } from "../dps/dps.ts";
import type { Hub } from "../hub/hub.ts";
import type { PublishPacket } from "../mqtt/packets.ts";
import type { Rule } from "../mqtt/rules.ts";
import type { MqttService } from "../mqtt/service.ts";
import { type BrokerAddress, parseBrokerUrl } from "./broker-address.ts";
import { BrokerClient } from "./broker-client.ts";
import { BrokerLink } from "./broker-link.ts";
import { type Voucher, voucherForDps, voucherForHub } from "./voucher.ts";

/** An outside broker that DPS and hubs are attached to. */
export interface BrokerOptions {
  /** `mqtts://[user[:password]@]host[:port]`, or `mqtt:` for a broker of this machine. */
  readonly url: string;
  /** PEM of the authorities that may have signed the broker's certificate. Default: those of the platform. */
  readonly ca?: string;
}

/** What a {@link BrokerAttachment} works with. */
export interface BrokerAttachmentParts {
  readonly dps: Dps;
  readonly hubs: readonly Hub[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly onBreach: (rule: Rule, service: string, clientId: string) => void;
}

/** What devices publish. */
const requestFilters = [
  "$dps/registrations/PUT/#",
  "$dps/registrations/GET/#",
  "devices/+/messages/events/#",
  "$iothub/twin/GET/#",
  "$iothub/twin/PATCH/properties/reported/#",
  "$iothub/methods/res/#",
];

/** What a device can hear of its hub. */
const hubFilters = (deviceId: string): readonly string[] => [
  `devices/${deviceId}/messages/devicebound/#`,
  "$iothub/methods/POST/#",
  "$iothub/twin/res/#",
  "$iothub/twin/PATCH/properties/desired/#",
];

/**
 * DPS and hubs as clients of an outside broker, for one device at a time: request topics name no device, and what is
 * published as an answer goes to whoever listens.
 */
export class BrokerAttachment {
  readonly #parts: BrokerAttachmentParts;
  readonly #address: BrokerAddress;
  #client: BrokerClient | undefined;
  #dpsLink: BrokerLink | undefined;
  #hubLink: { readonly link: BrokerLink; readonly hub: Hub } | undefined;

  private constructor(address: BrokerAddress, parts: BrokerAttachmentParts) {
    this.#address = address;
    this.#parts = parts;
  }

  /** Rejects with `emulator.rejected` for an unusable URL, with `emulator.broker-failed` for an unusable broker. */
  static async open({ url, ca }: BrokerOptions, parts: BrokerAttachmentParts): Promise<BrokerAttachment> {
    const address = parseBrokerUrl(url);
    const { log } = parts;
    const attachment = new BrokerAttachment(address, parts);
    const onPublish = (packet: PublishPacket): void => attachment.#take(packet);
    attachment.#client = await BrokerClient.open({ address, ca, filters: requestFilters, log, onPublish });
    log.info(() => `attached to ${address.text}`);
    return attachment;
  }

  /** Leaves the broker. Idempotent. */
  async close(): Promise<void> {
    this.#dpsLink?.close();
    this.#hubLink?.link.close();
    await this.#client?.close();
  }

  #take(packet: PublishPacket): void {
    try {
      if (packet.topic.startsWith("$dps/")) this.#takeDpsRequest(packet);
      else this.#liveHubLink()?.take(packet);
    } catch (error) {
      // Whatever a device sends, and whatever a callback of the owner does with it, costs one message at most.
      this.#parts.log.error(() => `a message could not be served: ${describeCause(error)}`);
    }
  }

  /** Every registration is a new connection to DPS, as far as DPS can tell. */
  #takeDpsRequest(packet: PublishPacket): void {
    const registers = packet.topic.startsWith("$dps/registrations/PUT/");
    if (registers || this.#dpsLink === undefined || this.#dpsLink.signal.aborted) {
      const registrationId = this.#registrationIdIn(packet);
      if (registrationId === undefined) {
        this.#parts.log.warn("a request to DPS names no registration id, and not exactly one device is enrolled");
        return;
      }
      this.#dpsLink?.close("the device began anew");
      this.#dpsLink = this.#openDpsLink(registrationId);
    }
    this.#dpsLink?.take(packet);
    // An assigned device listens to its hub before it has said a word there.
    if (this.#assignment() !== undefined) this.#liveHubLink();
  }

  #registrationIdIn({ payload }: PublishPacket): string | undefined {
    const { enrollments } = this.#parts.dps;
    const individuals = enrollments.filter(({ kind }) => kind === "individual");
    const only = individuals.length === 1 ? individuals[0]?.id : undefined;
    return namedIn(payload) ?? this.#dpsLink?.connectPacket.clientId ?? only;
  }

  #openDpsLink(registrationId: string): BrokerLink | undefined {
    const { dps, clock } = this.#parts;
    const username = `${dps.idScope}/registrations/${registrationId}/api-version=2019-03-31`;
    const voucher = voucherForDps(dps, registrationId, clock.now());
    return this.#open(dps.service, registrationId, username, voucher, ["$dps/registrations/res/#"]);
  }

  #liveHubLink(): BrokerLink | undefined {
    const place = this.#assignment() ?? this.#onlyDevice();
    if (place === undefined) {
      this.#parts.log.warn("a message for a hub came, and there is no device that it could be of");
      return undefined;
    }
    const { hub, deviceId } = place;
    const known = this.#hubLink;
    const same = known?.hub === hub && known.link.connectPacket.clientId === deviceId;
    // A link that a fault has made silent at its start would stay so; a device would give it up and come again.
    const deaf = known?.link.silent === true && !hub.modes.silent;
    if (known !== undefined && same && !deaf && !known.link.signal.aborted) return known.link;
    known?.link.close(same ? "the device came again" : "the device has moved");
    const username = `${hub.hostName}/${encodeURIComponent(deviceId)}/?api-version=2021-04-12`;
    const voucher = voucherForHub(hub, deviceId, this.#parts.dps, this.#parts.clock.now());
    const link = this.#open(hub.service, deviceId, username, voucher, hubFilters(deviceId));
    this.#hubLink = link === undefined ? undefined : { link, hub };
    return link;
  }

  /** Where the device is that registered last. */
  #assignment(): { readonly hub: Hub; readonly deviceId: string } | undefined {
    const registrationId = this.#dpsLink?.connectPacket.clientId.toLowerCase();
    const { dps, hubs } = this.#parts;
    const record = dps.registrations.find((each) => each.registrationId.toLowerCase() === registrationId);
    const hub = hubs.find(({ name }) => name === record?.hub);
    return record === undefined || hub === undefined ? undefined : { hub, deviceId: record.deviceId };
  }

  /** A device that needs no DPS, or has no need of it now. */
  #onlyDevice(): { readonly hub: Hub; readonly deviceId: string } | undefined {
    const all = this.#parts.hubs.flatMap((hub) => hub.deviceIds.map((deviceId) => ({ hub, deviceId })));
    return all.length === 1 ? all[0] : undefined;
  }

  #open(
    service: MqttService,
    clientId: string,
    username: string,
    { password, certificates }: Voucher,
    filters: readonly string[],
  ): BrokerLink | undefined {
    const { log, onBreach } = this.#parts;
    return BrokerLink.open({
      service,
      peer: { transport: "mqtt", remoteAddress: this.#address.host, certificates },
      connectPacket: {
        type: "connect",
        protocolName: "MQTT",
        protocolLevel: 4,
        cleanSession: true,
        keepAliveSeconds: 0,
        clientId,
        username,
        ...(password === undefined ? {} : { password }),
      },
      filters,
      publish: async (topic, payload, qos) => this.#client?.publish(topic, payload, qos),
      log,
      onBreach,
    });
  }
}

/** The registration id that a body names, if it does. */
function namedIn(payload: Buffer): string | undefined {
  try {
    const body: unknown = JSON.parse(payload.toString("utf8"));
    return isJsonObject(body) && typeof body.registrationId === "string" ? body.registrationId : undefined;
  } catch {
    return undefined;
  }
}
