/** A client of the official SDK: one transport class of one of its packages. */
export interface Client {
  readonly service: "dps" | "hub";
  /** Name of the class. */
  readonly transport: "Mqtt" | "MqttWs" | "Http";
  readonly package: string;
  /** The SDK puts port 443 behind the host's name itself, so it reaches an emulator under real names only. */
  readonly needsRealNames: boolean;
}

const mqttDps = { service: "dps", package: "azure-iot-provisioning-device-mqtt" } as const;
const mqttHub = { service: "hub", package: "azure-iot-device-mqtt" } as const;

/** The clients that the emulator is held to. */
export const clients: readonly Client[] = [
  { ...mqttDps, transport: "Mqtt", needsRealNames: false },
  { ...mqttDps, transport: "MqttWs", needsRealNames: true },
  { service: "dps", package: "azure-iot-provisioning-device-http", transport: "Http", needsRealNames: true },
  { ...mqttHub, transport: "Mqtt", needsRealNames: false },
  { ...mqttHub, transport: "MqttWs", needsRealNames: true },
];
