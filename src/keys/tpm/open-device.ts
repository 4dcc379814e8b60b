import { formatTpmLocation, type TpmLocation } from "../../config/tpm-location.ts";
import { CharacterDevice } from "./character-device.ts";
import { SocketDevice } from "./socket-device.ts";
import type { OpenTpmDevice } from "./tpm-device.ts";

/** What opens the TPM at `location`. Nothing is opened yet. */
export function deviceOpener(location: TpmLocation): OpenTpmDevice {
  switch (location.kind) {
    case "device":
      return () => CharacterDevice.open(location.path);
    case "unix":
      return (options) => SocketDevice.open({ path: location.path }, formatTpmLocation(location), options);
    case "tcp": {
      const { host, port } = location;
      return (options) => SocketDevice.open({ host, port, noDelay: true }, formatTpmLocation(location), options);
    }
  }
}
