import type { Readable } from "node:stream";
import type { Agent } from "../agent/agent.ts";
import { lineMessages } from "../agent/line-messages.ts";
import { describeCause } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { EventLines } from "./event-lines.ts";

/** What {@link sendLines} tells, and when it stops. */
export interface SendLinesParts {
  readonly log: Logger;
  readonly tell: EventLines["write"];
  readonly signal: AbortSignal;
}

/**
 * Sends every line of `input` as a message. Reads ahead no further than the telemetry window, so that a fast producer
 * waits for the hub. Resolves at the end of the input, once all of it is acknowledged; rejects with `signal.reason`.
 */
export async function sendLines(input: Readable, agent: Agent, { log, tell, signal }: SendLinesParts): Promise<void> {
  const sending = new Set<Promise<void>>();
  for await (const item of lineMessages(input, { signal })) {
    if (item.kind === "fault") {
      log.warn(`standard input, line ${item.line}: ${item.detail}`);
      tell({ event: "message-refused", line: item.line, fault: item.fault });
      continue;
    }
    const { line, message } = item;
    const sent = agent.sendMessage(message, { signal }).then(
      () => tell({ event: "telemetry-acknowledged", kind: "line", line }),
      (error: unknown) => {
        if (signal.aborted) return;
        log.warn(`standard input, line ${line} was not sent: ${describeCause(error)}`);
        tell({ event: "message-refused", line, fault: "not-sent", error });
      },
    );
    sending.add(sent);
    void sent.finally(() => sending.delete(sent));
    if (sending.size >= agent.telemetryWindow) await Promise.race(sending);
  }
  await Promise.all(sending);
}
