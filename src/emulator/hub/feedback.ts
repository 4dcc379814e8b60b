/** What the sender of a message wants to be told: nothing, that it was completed, that it was not, or either. */
export type FeedbackRequest = "none" | "positive" | "negative" | "full";

/** What has become of a message, in the words of the service. */
export type MessageStatus =
  /** The device has completed it. */
  | "Success"
  | "Expired"
  /** It was delivered as often as the hub allows, and never completed. */
  | "DeliveryCountExceeded"
  | "Rejected"
  /** The device's queue was emptied, or the device was removed. */
  | "Purged";

/** One record of a feedback message, member by member as the service writes it. */
export interface FeedbackRecord {
  readonly originalMessageId: string;
  /** When the message came to its end, ISO 8601, by the emulator's clock. */
  readonly enqueuedTimeUtc: string;
  readonly statusCode: MessageStatus;
  readonly description: string;
  readonly deviceId: string;
  /** Another one for each device that is created, also under an id that was there before. */
  readonly deviceGenerationId: string;
}

/** The end of a message. */
export interface MessageOutcome {
  readonly deviceId: string;
  readonly deviceGenerationId: string;
  readonly messageId: string;
  readonly status: MessageStatus;
  readonly ack: FeedbackRequest;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** The record that the sender is to get; `undefined` when he did not ask for one about such an end. */
export function feedbackOn(outcome: MessageOutcome): FeedbackRecord | undefined {
  const { messageId, status, ack, atMs, deviceId, deviceGenerationId } = outcome;
  if (ack !== "full" && ack !== (status === "Success" ? "positive" : "negative")) return undefined;
  return {
    originalMessageId: messageId,
    enqueuedTimeUtc: new Date(atMs).toISOString(),
    statusCode: status,
    description: status,
    deviceId,
    deviceGenerationId,
  };
}
