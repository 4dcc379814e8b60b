import { BlobStore } from "../../src/emulator/blob-store.ts";
import { EventLog } from "../../src/emulator/event-log.ts";
import { Hub } from "../../src/emulator/hub/hub.ts";
import type { HubOptions } from "../../src/emulator/hub/hub-options.ts";
import { MqttLink } from "../../src/emulator/mqtt/link.ts";
import { seededRandom } from "../../src/emulator/randomness.ts";
import { createLogger, type LogRecord } from "../../src/log.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { ForeignDevice, type ForeignOptions, inMemory, sasToken } from "./foreign-device.ts";

/** One emulated hub on a clock that stands still, reached in memory: no TLS, no ports. */
export class EmulatedHub {
  readonly clock = new FakeClock();
  readonly events = new EventLog(this.clock, 1000);
  readonly logged: LogRecord[] = [];
  readonly blobs = new BlobStore(seededRandom(2), () => "blobs.test");
  readonly hub: Hub;

  constructor(options: Pick<HubOptions, "maxDeliveryCount" | "messageTimeToLiveMs"> = {}) {
    this.hub = new Hub({
      name: "hub-a",
      hostName: "hub-a.azure-devices.net",
      clock: this.clock,
      random: seededRandom(1),
      log: createLogger("trace", (record) => this.logged.push(record)),
      events: this.events,
      recordLimit: 1000,
      blobs: this.blobs,
      ...options,
    });
  }

  /** Adds a device and connects as it, with a token of one hour. */
  async device(deviceId = "dev", options: ForeignOptions = {}): Promise<ForeignDevice> {
    const known = this.hub.deviceIds.includes(deviceId);
    if (!known) this.hub.addDevice({ deviceId, authentication: { method: "symmetric_key", primaryKey: deviceKey } });
    return this.connect({
      clientId: deviceId,
      username: this.username(deviceId),
      password: this.token(deviceId),
      ...options,
    });
  }

  /** Connects word for word. */
  connect(options: ForeignOptions): Promise<ForeignDevice> {
    const peer = { transport: "mqtt", remoteAddress: "127.0.0.1", certificates: [] } as const;
    const log = createLogger("trace", (record) => this.logged.push(record));
    const serve = inMemory((stream) => {
      new MqttLink({
        stream,
        peer,
        log,
        route: () => this.hub.service,
        onBreach: (rule, service, clientId) => this.events.add("rule.broken", { rule, service, clientId }),
      });
    });
    return ForeignDevice.connect(serve, options);
  }

  username(deviceId: string): string {
    return `hub-a.azure-devices.net/${deviceId}/?api-version=2021-04-12`;
  }

  token(deviceId: string, lifeMs = 3_600_000, key = deviceKey): string {
    const expiresAtMs = this.clock.now() + lifeMs;
    return sasToken(`hub-a.azure-devices.net/devices/${deviceId}`, key, { expiresAtMs });
  }

  /** The rules that were broken, in order. */
  get broken(): readonly string[] {
    return this.events.of("rule.broken").map(({ rule }) => rule);
  }
}

/** The key of every device that {@link EmulatedHub.device} adds. */
export const deviceKey = Buffer.alloc(32, 5).toString("base64");
