import { rejected } from "./rejected.ts";
import type { HostRole } from "./service-names.ts";

/** The states of a private endpoint connection. Only `Approved` carries traffic. */
export type ConnectionStatus = "Pending" | "Approved" | "Rejected" | "Disconnected";

/** What the owner of a resource can do with a connection to it. */
export type OwnerAction = "approve" | "reject" | "remove";

/**
 * The status after the owner acted, or undefined when there is nothing left to act on. The owner may change his mind and may
 * delete a connection in any state; once that is done the endpoint is only informative, and its consumer deletes it.
 */
export function statusAfter(status: ConnectionStatus, action: OwnerAction): ConnectionStatus | undefined {
  return status === "Disconnected" ? undefined : outcomes[action];
}

const outcomes: Readonly<Record<OwnerAction, ConnectionStatus>> = {
  approve: "Approved",
  reject: "Rejected",
  remove: "Disconnected",
};

/** What a {@link PrivateEndpointConnection} is made with. */
export interface ConnectionSettings {
  readonly name: string;
  /** Automatic when the requester may approve for the owner; else the owner has to. Default automatic. */
  readonly approval?: "automatic" | "manual" | undefined;
  /** What the requester of a manual approval tells the owner; up to 140 characters. */
  readonly requestMessage?: string | undefined;
  /** The addresses in the virtual network, one for each name of the resource. */
  readonly addresses: ReadonlyMap<HostRole, string>;
}

/** One private endpoint, as the owner of the resource sees it. */
export class PrivateEndpointConnection {
  readonly name: string;
  readonly requestMessage: string | undefined;
  readonly addresses: ReadonlyMap<HostRole, string>;
  #status: ConnectionStatus;
  #ownerMessage: string | undefined;

  constructor({ name, approval = "automatic", requestMessage, addresses }: ConnectionSettings) {
    if (requestMessage !== undefined && requestMessage.length > 140) {
      throw rejected(`expected a request message of up to 140 characters, got ${requestMessage.length}`);
    }
    this.name = name;
    this.requestMessage = requestMessage;
    this.addresses = addresses;
    this.#status = approval === "automatic" ? "Approved" : "Pending";
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  /** What the owner wrote beside the last decision. */
  get ownerMessage(): string | undefined {
    return this.#ownerMessage;
  }

  /** The owner lets the endpoint send traffic. Throws `emulator.rejected` after {@link remove}. */
  approve(message?: string): void {
    this.#act("approve", message);
  }

  /** The owner refuses, also what was approved before. Throws `emulator.rejected` after {@link remove}. */
  reject(message?: string): void {
    this.#act("reject", message);
  }

  /** The owner deletes the connection; there is no way back. Throws `emulator.rejected` the second time. */
  remove(): void {
    this.#act("remove", undefined);
  }

  #act(action: OwnerAction, message: string | undefined): void {
    const next = statusAfter(this.#status, action);
    if (next === undefined) {
      throw rejected(`cannot ${action} the connection ${this.name}: its owner removed it; delete the private endpoint`);
    }
    this.#status = next;
    this.#ownerMessage = message;
  }
}
