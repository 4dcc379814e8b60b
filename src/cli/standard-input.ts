import type { Readable } from "node:stream";
import { untilAborted } from "../abort.ts";
import type { Agent } from "../agent/agent.ts";
import { lineMessages } from "../agent/line-messages.ts";
import { describeCause } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { EventLines } from "./event-lines.ts";

/** Where {@link sendLines} tells what became of each line. */
export interface LineReports {
  readonly log: Logger;
  readonly tell: EventLines["write"];
}

/**
 * Sends every line of `input` as a message. Reads ahead no further than the telemetry window, so that a fast producer
 * waits for the hub. Stops reading at the end of the input, or when `signal` aborts; resolves when every line that was
 * read is acknowledged or given up, with the number of lines that were not sent.
 */
export async function sendLines(
  input: Readable,
  agent: Pick<Agent, "sendMessage" | "telemetryWindow">,
  { log, tell }: LineReports,
  { signal }: { readonly signal: AbortSignal },
): Promise<number> {
  const sending = new Set<Promise<void>>();
  let unsent = 0;
  try {
    for await (const item of lineMessages(input, { signal })) {
      const { line } = item;
      if (item.kind === "fault") {
        unsent += 1;
        log.warn(`standard input, line ${line}: ${item.detail}`);
        tell({ event: "message-refused", line, fault: item.fault });
        continue;
      }
      // Without the signal: what was read is lost to its producer, so closing the agent still tries to send it.
      const sent = agent.sendMessage(item.message).then(
        () => tell({ event: "telemetry-acknowledged", kind: "line", line }),
        (error: unknown) => {
          unsent += 1;
          log.warn(`standard input, line ${line} was not sent: ${describeCause(error)}`);
          tell({ event: "message-refused", line, fault: "not-sent", error });
        },
      );
      sending.add(sent);
      void sent.finally(() => sending.delete(sent));
      if (sending.size >= agent.telemetryWindow) await untilAborted(Promise.race(sending), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await Promise.all(sending);
  return unsent;
}
