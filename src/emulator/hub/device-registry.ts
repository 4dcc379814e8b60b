import { bytesFrom, type Random } from "../randomness.ts";
import type { CloudToDeviceParts } from "./cloud-to-device.ts";
import { Device, type DeviceAuthentication } from "./device.ts";
import type { InitialTwin, Twin } from "./twin.ts";

/** A device identity that is to be in the registry. */
export interface DeviceRecord {
  readonly deviceId: string;
  readonly authentication: DeviceAuthentication;
  /** Default: an empty twin. */
  readonly twin?: Twin | InitialTwin | undefined;
  /** Default false. */
  readonly disabled?: boolean;
}

/** What a {@link DeviceRegistry} works with. */
export interface DeviceRegistryParts extends Omit<CloudToDeviceParts, "deviceId" | "deviceGenerationId"> {
  readonly random: Random;
}

/** Whoever wants to know that a device has to leave. */
export type OnDeviceGone = (deviceId: string, why: "device-disabled" | "device-removed") => void;

/** The device identities of one hub. Ids are case-sensitive, as those of IoT Hub are. */
export class DeviceRegistry {
  readonly #parts: DeviceRegistryParts;
  readonly #devices = new Map<string, Device>();
  #onGone: OnDeviceGone = () => {};

  constructor(parts: DeviceRegistryParts) {
    this.#parts = parts;
  }

  /** Calls back when a device is disabled or removed, so that its connection can be closed. */
  onGone(listener: OnDeviceGone): void {
    this.#onGone = listener;
  }

  get(deviceId: string): Device | undefined {
    return this.#devices.get(deviceId);
  }

  get all(): readonly Device[] {
    return [...this.#devices.values()];
  }

  /** Adds a device; one that is there already only gets the new authentication. */
  put({ deviceId, authentication, twin, disabled }: DeviceRecord): Device {
    const known = this.#devices.get(deviceId);
    if (known !== undefined) {
      known.authentication = authentication;
      return known;
    }
    const device = new Device({
      deviceId,
      authentication,
      twin,
      disabled: disabled ?? false,
      queue: { ...this.#parts, deviceGenerationId: newGenerationId(this.#parts.random) },
    });
    this.#devices.set(deviceId, device);
    return device;
  }

  /** Disables or enables a device. Returns false when there is none by that id. */
  setDisabled(deviceId: string, disabled: boolean): boolean {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return false;
    device.disabled = disabled;
    if (disabled) this.#onGone(deviceId, "device-disabled");
    return true;
  }

  /** Removes a device with everything that waits for it. Returns it, or `undefined` when there was none. */
  remove(deviceId: string): Device | undefined {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return undefined;
    this.#devices.delete(deviceId);
    device.queue.purge("the device was removed");
    this.#onGone(deviceId, "device-removed");
    return device;
  }
}

/** 18 decimal digits, as the service's own. */
function newGenerationId(random: Random): string {
  return String(bytesFrom(random, 8).readBigUInt64BE()).padStart(18, "0").slice(-18);
}
