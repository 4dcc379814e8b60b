import { whenAborted } from "../abort.ts";
import { Agent, type AgentOptions } from "../agent/agent.ts";
import { startDuties } from "../agent/duties.ts";
import { systemClock } from "../clock.ts";
import { describeSettings } from "../config/describe.ts";
import { type LoadedFile, loadSettings } from "../config/load.ts";
import { describeCause } from "../errors.ts";
import type { Logger } from "../log.ts";
import { printMessages } from "./cloud-message-lines.ts";
import { type Command, configOption, type ExitCode, type Invocation, textOption } from "./command.ts";
import { EventLines } from "./event-lines.ts";
import { sendLines } from "./standard-input.ts";
import type { Terminal } from "./terminal.ts";

/** `landfall run`: the agent. */
export const run: Command = {
  name: "run",
  description:
    "Provisions if needed, connects to the assigned hub, and serves until SIGINT or SIGTERM: sends system " +
    "telemetry, answers the configured direct methods, follows the twin. SIGHUP asks DPS for the assignment again.",
  options: {
    ...configOption,
    "check-config": {
      type: "boolean",
      help: "only check configuration and credential, contact nobody; --json prints it (landfall.configuration/1)",
    },
    stdin: {
      type: "boolean",
      help: "send each line of JSON on standard input as a message; end with it, 1 if a line was not sent",
    },
    json: {
      type: "boolean",
      help: "print every event as a line of JSON (landfall.event/1), cloud-to-device messages too",
    },
  },
  async run(invocation) {
    const { options, env, terminal } = invocation;
    const file = textOption(options, "config");
    const loaded = await loadSettings({ env, ...(file === undefined ? {} : { file }) });
    const log = invocation.logger(loaded.settings.log.level);
    log.info("configuration", { file: loaded.file });
    if (options["check-config"] === true) {
      const agent = await Agent.fromSettings(loaded, { log });
      await agent.close();
      return reportValid(loaded, agent, invocation);
    }
    const service: Service = { ...loaded, log, lines: new EventLines(terminal.out) };
    const agent = await openAgent(service, invocation);
    if (agent === undefined) return 0;
    await using _ = agent;
    if (options.json === true) service.lines.follow(agent);
    // Awaited, because the agent is closed as soon as this function returns.
    return await serve(agent, service, invocation);
  },
};

/** The agent, as soon as the hardware that holds its identity is there; `undefined` when it shall end before that. */
async function openAgent(service: Service, { options, terminal, signal }: Invocation): Promise<Agent | undefined> {
  const { log, lines } = service;
  const onWaiting: AgentOptions["onWaiting"] = (about) => {
    if (options.json === true) lines.write({ event: "waiting", ...about });
  };
  using _ = onHangUp(terminal, "trying to open the key goes on", () => {});
  try {
    return await Agent.fromSettings(service, { log, onWaiting }, { signal });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    log.info(`stopping: ${describeCause(error)}`);
    return undefined;
  }
}

/** Has SIGHUP do something else than end the process. A terminal that was closed sends it as well; then the write fails, and that ends the agent. */
function onHangUp({ err }: Terminal, says: string, act: () => void): Disposable {
  const listener = (): void => {
    if (err.isTTY) err.write(`SIGHUP: ${says}\n`);
    act();
  };
  process.on("SIGHUP", listener);
  return { [Symbol.dispose]: () => process.off("SIGHUP", listener) };
}

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

/** Serves until a signal, the end of the input, or a failure that the agent cannot mend. */
async function serve(agent: Agent, service: Service, { options, terminal, signal }: Invocation): Promise<ExitCode> {
  const { settings, log, lines } = service;
  const wantsJson = options.json === true;
  const tell: EventLines["write"] = wantsJson ? (event) => lines.write(event) : () => {};
  const ending = new AbortController();
  const stop = AbortSignal.any([signal, ending.signal]);
  let failure: unknown;
  let exitCode: ExitCode = 0;

  const work = async (): Promise<void> => {
    await agent.start({ signal: stop });
    if (options.stdin !== true) return whenAborted(stop);
    if ((await sendLines(terminal.input, agent, { log, tell }, { signal: stop })) > 0 && !signal.aborted) exitCode = 1;
  };
  const askAgain = (): void => {
    agent.provision({ signal: stop }).catch((error: unknown) => {
      if (!stop.aborted) log.warn(`provisioning failed: ${describeCause(error)}`);
    });
  };

  // Before the start, so that the very first connection serves them.
  const duties = startDuties(agent, { settings, clock: systemClock, log, tell }, { signal: stop });
  const messages = wantsJson ? printMessages(agent, lines, { signal: stop }) : Promise.resolve();
  const jobs = [duties, messages, work().finally(() => ending.abort())].map((job) =>
    job.catch((error: unknown) => {
      // An interruption is how this command is meant to end.
      if (!signal.aborted) failure ??= error;
      ending.abort();
    }),
  );
  using _ = onHangUp(terminal, "asking DPS again", askAgain);
  await whenAborted(stop);
  if (signal.aborted) log.info(`stopping: ${describeCause(signal.reason)}`);
  await agent.close();
  await Promise.all(jobs);
  if (failure !== undefined) throw failure;
  return exitCode;
}
