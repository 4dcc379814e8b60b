import { describeCause } from "../../errors.ts";
import { isJsonObject } from "../../json.ts";
import type { Logger } from "../../log.ts";
import type { MethodAnswer } from "../message-limits.ts";
import type { MethodCalls } from "../method-calls.ts";
import type { HubHandlers } from "../transport.ts";
import { cloudMessageFrom } from "./sdk-messages.ts";
import type { SdkHubTransport, SdkMessage, SdkMethodCall } from "./sdk-shapes.ts";

/** Hands what the library's transport receives to the handlers. */
export class SdkInbox {
  readonly #transport: SdkHubTransport;
  readonly #handlers: HubHandlers;
  readonly #calls: MethodCalls;
  readonly #log: Logger;
  readonly #messages = new Set<Promise<void>>();
  #open = true;

  constructor(
    transport: SdkHubTransport,
    handlers: HubHandlers,
    calls: MethodCalls,
    log: Logger,
    sendAnswer: (requestId: string, answer: MethodAnswer) => Promise<void>,
  ) {
    this.#transport = transport;
    this.#handlers = handlers;
    this.#calls = calls;
    this.#log = log;
    transport.on("message", (message) => this.#takeMessage(message as SdkMessage));
    transport.on("twinDesiredPropertiesUpdate", (patch) => this.#takeDesired(patch));
    hearEveryMethod(transport, ({ methods, requestId, body }) => {
      const call = { name: methods.methodName, requestId, payload: body ?? new Uint8Array() };
      calls.take(call, (answer) => sendAnswer(requestId, answer));
    });
  }

  /** Takes no more messages and methods; resolves when those under way are handled. */
  async drain(): Promise<void> {
    this.#open = false;
    await Promise.all([this.#calls.drain(), ...this.#messages]);
  }

  #takeMessage(message: SdkMessage): void {
    const { onMessage } = this.#handlers;
    if (!onMessage || !this.#open) {
      this.#log.warn("a message came while nobody takes any; the Azure SDK has acknowledged it", {
        messageId: message.messageId,
      });
      return;
    }
    const handled = this.#handle(message, onMessage(cloudMessageFrom(message)));
    this.#messages.add(handled);
    void handled.then(() => this.#messages.delete(handled));
  }

  /** Settles the message for transports where that means something. */
  async #handle(message: SdkMessage, handling: Promise<void>): Promise<void> {
    const settled = (error?: Error | null): void => {
      if (error) this.#log.warn("a message could not be settled", { error: describeCause(error) });
    };
    try {
      await handling;
      this.#transport.complete(message, settled);
    } catch (error) {
      this.#log.warn("a message was not handled", { error: describeCause(error) });
      try {
        this.#transport.abandon(message, settled);
      } catch {} // over MQTT there is nothing to settle any more
    }
  }

  #takeDesired(document: unknown): void {
    const { $version: version, ...patch } = isJsonObject(document) ? document : {};
    if (typeof version === "number") this.#handlers.onDesired?.({ version, patch });
    else this.#log.warn("a change of desired properties has no version; it is left aside");
  }
}

/** The library hands calls to those alone who asked for a method by its name; we answer every call, also of unknown ones. */
function hearEveryMethod(transport: SdkHubTransport, onCall: (call: SdkMethodCall) => void): void {
  const emit = transport.emit.bind(transport);
  transport.emit = (event, ...about) => {
    if (typeof event !== "string" || !event.startsWith("method_")) return emit(event, ...about);
    onCall(about[0] as SdkMethodCall);
    return true;
  };
}
