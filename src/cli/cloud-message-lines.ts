import type { Agent } from "../agent/agent.ts";
import type { EventLines } from "./event-lines.ts";
import { bodyOf } from "./message-body.ts";

/**
 * Prints every cloud-to-device message as an event; each is completed once it is written. Resolves when the agent is
 * closed or `signal` aborts.
 */
export async function printMessages(
  agent: Pick<Agent, "messages">,
  lines: Pick<EventLines, "write">,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  try {
    for await (const { payload, done: _, ...about } of agent.messages({ signal })) {
      lines.write({ event: "message", ...about, body: bodyOf(payload) });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
