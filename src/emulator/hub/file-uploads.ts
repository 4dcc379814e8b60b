import type { Clock } from "../../clock.ts";
import type { BlobStore, BlobUpload } from "../blob-store.ts";
import { type Random, uuidFrom } from "../randomness.ts";

/** What became of a file, as its device told it. */
export interface FileUpload {
  readonly deviceId: string;
  /** As the device named it; in the store it stands below the device id. */
  readonly blobName: string;
  readonly isSuccess: boolean;
  readonly statusCode: number;
  readonly statusDescription: string;
  /** What arrived in the store, whatever the device says; `undefined` when nothing did. */
  readonly content: Buffer | undefined;
  /** By the emulator's clock, milliseconds since the Unix epoch. */
  readonly finishedAtMs: number;
}

/** What a device says of an upload that is over. */
export type UploadReport = Pick<FileUpload, "isSuccess" | "statusCode" | "statusDescription">;

/** What a device needs to write its file. */
export interface UploadPermit {
  readonly correlationId: string;
  readonly hostName: string;
  readonly containerName: string;
  readonly blobName: string;
  readonly sasToken: string;
}

/** What {@link FileUploads} works with. */
export interface FileUploadsParts {
  readonly store: BlobStore;
  readonly containerName: string;
  readonly clock: Clock;
  readonly random: Random;
}

interface Begun {
  readonly deviceId: string;
  readonly blobName: string;
  readonly blob: BlobUpload;
  /** By the emulator's clock, milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
}

/** Uploads that one device may have under way. */
const maxActive = 10;

/** How long a permit to write is good, in milliseconds; an upload that is not over by then counts no longer. */
const permitLifetimeMs = 3_600_000;

/** The files that the devices of one hub upload: begun by asking for a place, over when the device says so. */
export class FileUploads {
  readonly #parts: FileUploadsParts;
  readonly #begun = new Map<string, Begun>();
  readonly #finished: FileUpload[] = [];

  constructor(parts: FileUploadsParts) {
    this.#parts = parts;
  }

  /** Every upload that is over, oldest first. */
  get finished(): readonly FileUpload[] {
    return [...this.#finished];
  }

  /** Makes a place for a file; `undefined` when the device has ten uploads under way already. */
  begin(deviceId: string, blobName: string): UploadPermit | undefined {
    this.#forgetExpired();
    const active = [...this.#begun.values()].filter((upload) => upload.deviceId === deviceId);
    if (active.length >= maxActive) return undefined;
    const { store, containerName, clock, random } = this.#parts;
    const name = `${deviceId}/${blobName}`;
    const expiresAtMs = clock.now() + permitLifetimeMs;
    const blob = store.create(`${containerName}/${name}`, () => clock.now() < expiresAtMs);
    const correlationId = Buffer.from(`${uuidFrom(random)}_${name}`).toString("base64");
    this.#begun.set(correlationId, { deviceId, blobName, blob, expiresAtMs });
    const se = new Date(expiresAtMs).toISOString();
    const token = { sv: "2018-03-28", sr: "b", sig: blob.signature, se, sp: "rw" };
    const sasToken = `?${new URLSearchParams(token)}`;
    return { correlationId, hostName: store.host, containerName, blobName: name, sasToken };
  }

  /** Takes the device's word that an upload is over; `undefined` when it has none by that id. */
  finish(deviceId: string, correlationId: string, report: UploadReport): FileUpload | undefined {
    this.#forgetExpired();
    const upload = this.#begun.get(correlationId);
    if (upload?.deviceId !== deviceId) return undefined;
    this.#begun.delete(correlationId);
    const { blobName, blob } = upload;
    const finished = { deviceId, blobName, ...report, content: blob.content, finishedAtMs: this.#parts.clock.now() };
    this.#finished.push(finished);
    return finished;
  }

  #forgetExpired(): void {
    const nowMs = this.#parts.clock.now();
    for (const [correlationId, { expiresAtMs }] of this.#begun) {
      if (expiresAtMs <= nowMs) this.#begun.delete(correlationId);
    }
  }
}
