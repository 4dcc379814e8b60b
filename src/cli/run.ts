import { whenAborted } from "../abort.ts";
import { Agent } from "../agent/agent.ts";
import { startDuties } from "../agent/duties.ts";
import { systemClock } from "../clock.ts";
import { describeSettings } from "../config/describe.ts";
import { type LoadedFile, loadSettings } from "../config/load.ts";
import { describeCause } from "../errors.ts";
import type { Logger } from "../log.ts";
import { type Command, configOption, type ExitCode, type Invocation, textOption } from "./command.ts";
import { EventLines } from "./event-lines.ts";
import { sendLines } from "./standard-input.ts";

/** `landfall run`: the agent. */
export const run: Command = {
  name: "run",
  description:
    "Provisions if needed, connects to the assigned hub, and serves until SIGINT or SIGTERM: sends system telemetry,\n" +
    "answers the configured direct methods, follows the twin. SIGHUP asks DPS for the assignment again.",
  options: {
    ...configOption,
    "check-config": { type: "boolean", help: "only check the configuration and the credential; nothing is contacted" },
    stdin: { type: "boolean", help: "send each line of JSON on standard input as a message; exit at its end" },
    json: { type: "boolean", help: "print every event as a line of JSON; cloud-to-device messages are events too" },
  },
  async run(invocation) {
    const { options, env, terminal } = invocation;
    const file = textOption(options, "config");
    const loaded = await loadSettings({ env, ...(file === undefined ? {} : { file }) });
    const log = invocation.logger(loaded.settings.log.level);
    log.info("configuration", { file: loaded.file });
    for (const warning of loaded.warnings) log.warn(warning);
    const agent = await Agent.fromSettings(loaded.settings, { log });
    if (options["check-config"] === true) {
      await agent.close();
      return reportValid(loaded, agent, invocation);
    }
    await using _ = agent;
    const lines = new EventLines(terminal.out);
    if (options.json === true) lines.follow(agent);
    // Awaited, because the agent is closed as soon as this function returns.
    return await serve(agent, { ...loaded, log, lines }, invocation);
  },
};

function reportValid(
  { settings, file, warnings }: LoadedFile,
  agent: Agent,
  { options, terminal }: Invocation,
): ExitCode {
  if (options.json === true) {
    const result = { schema: "landfall.configuration/1", file, warnings, settings: describeSettings(settings) };
    terminal.out.write(`${JSON.stringify(result)}\n`);
  } else {
    terminal.out.write(`${file} is valid; the device is ${agent.registrationId}\n`);
  }
  return 0;
}

interface Service extends LoadedFile {
  readonly log: Logger;
  readonly lines: EventLines;
}

async function serve(agent: Agent, service: Service, { options, terminal, signal }: Invocation): Promise<ExitCode> {
  const { settings, log, lines } = service;
  const wantsJson = options.json === true;
  const ending = new AbortController();
  const stop = AbortSignal.any([signal, ending.signal]);
  const tell: EventLines["write"] = (event) => {
    if (wantsJson) lines.write(event);
  };
  const duties = startDuties(agent, { settings, clock: systemClock, log, tell }, stop);
  const messages = wantsJson ? printMessages(agent, lines, stop) : undefined;
  const onHangup = (): void => {
    agent
      .provision({ signal: stop })
      .catch((error: unknown) => log.warn(`provisioning failed: ${describeCause(error)}`));
  };
  process.on("SIGHUP", onHangup);
  try {
    await agent.start({ signal });
    if (options.stdin === true) await sendLines(terminal.input, agent, { log, tell, signal });
    else await whenAborted(signal);
  } catch (error) {
    // The signal is how this command is meant to end.
    if (!signal.aborted) throw error;
  } finally {
    process.off("SIGHUP", onHangup);
    ending.abort();
    if (signal.aborted) log.info("stopping");
    await agent.close();
    await Promise.all([duties, messages]);
  }
  return 0;
}

/** Every cloud-to-device message becomes an event, and is completed once that is written. */
async function printMessages(agent: Agent, lines: EventLines, signal: AbortSignal): Promise<void> {
  try {
    for await (const { payload, done: _, ...about } of agent.messages({ signal })) {
      lines.write({ event: "message", ...about, body: bodyOf(payload) });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** JSON as JSON, other text as text, and everything else in base64. */
function bodyOf(payload: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  } catch {
    return { base64: Buffer.from(payload).toString("base64") };
  }
}
