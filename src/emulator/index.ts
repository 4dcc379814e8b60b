/** A Device Provisioning Service, IoT hubs and private networks around them on this machine, for tests: `import { Emulator } from "landfall/emulator"`. */
export type { BrokerOptions } from "./broker/broker-attachment.ts";
export {
  type AuthorityRequest,
  CertificateAuthority,
  type CertificateRequest,
  type IssuedCertificate,
  type KeyType,
  type Validity,
} from "./certificate-authority.ts";
export type { RegistrationRecord } from "./dps/assignments.ts";
export type { AllocationFunction, CustomAllocation, CustomAllocationRequest } from "./dps/custom-allocation.ts";
export type { Dps } from "./dps/dps.ts";
export type { Enrollment, EnrollmentChange } from "./dps/enrollment.ts";
export type {
  AllocationRequest,
  EnrollmentOptions,
  GroupEnrollmentOptions,
  IndividualEnrollmentOptions,
  PayloadFunction,
  ReprovisioningPolicy,
  SymmetricKeyAttestation,
  TpmAttestation,
  X509Attestation,
} from "./dps/enrollment-options.ts";
export type { DpsFault, DpsFaults, DpsStep } from "./dps/faults.ts";
export type { DpsQuotas } from "./dps/quotas.ts";
export { Emulator } from "./emulator.ts";
export { type EnrollmentFileOptions, parseEnrollmentFile } from "./enrollment-file.ts";
export type { ClientTransport, EmulatorEvent, EventKind, EventKinds } from "./event-kinds.ts";
export type { EventLog } from "./event-log.ts";
export type { Fault, FaultKind, LineFault, ScriptedAnswer } from "./faults/fault.ts";
export { parseFaultFile, type ScriptedFault } from "./faults/fault-file.ts";
export type { ServedFault } from "./faults/fault-script.ts";
export type { AddDeviceAuthentication, AddDeviceOptions } from "./hub/add-device.ts";
export type { OutgoingCloudMessage, SentMessage } from "./hub/cloud-to-device.ts";
export type { ConnectionSummary } from "./hub/device-connection.ts";
export type { HubFault, HubFaults, HubStep } from "./hub/faults.ts";
export type { FeedbackRecord, FeedbackRequest, MessageStatus } from "./hub/feedback.ts";
export type { FileUpload } from "./hub/file-uploads.ts";
export type { Hub } from "./hub/hub.ts";
export type { AddedDevice, InvokeOptions, TelemetryOptions } from "./hub/hub-options.ts";
export type { MethodResult } from "./hub/methods.ts";
export type { ReceivedTelemetry } from "./hub/telemetry.ts";
export type { InitialTwin, TwinSnapshot } from "./hub/twin.ts";
export type { Rule } from "./mqtt/rules.ts";
export type { EmulatorOptions, EmulatorReady } from "./options.ts";
export { Scene, type SceneNames } from "./private-link/catalogue/scene.ts";
export { type OpenStage, openStage, type StageOptions } from "./private-link/catalogue/stage.ts";
export { EmulatedWorld, type EmulatedWorldOptions } from "./private-link/emulated-world.ts";
export type { Arrival } from "./private-link/network/arrivals.ts";
export type { PathOutcome, PathRule, PlaceKind } from "./private-link/network/path.ts";
export type { Place, PlaceSettings } from "./private-link/place.ts";
export { Estate } from "./private-link/resources/estate.ts";
export { type Caller, PrivateLinkWorld, type WorldOptions } from "./private-link/world.ts";
export { type Random, seededRandom } from "./randomness.ts";
export type { Refusal } from "./service-modes.ts";
export { deriveDeviceKey } from "./symmetric-key.ts";
