import { commands } from "../../src/cli/commands.ts";
import { commandHelp, programHelp } from "../../src/cli/help.ts";
import type { TextSink } from "../../src/cli/terminal.ts";

/** A sink without colours; nothing is written to it. */
const plain: TextSink = { isTTY: false, columns: 80, write: () => {}, style: (_, text) => text };

/** The text of `docs/cli.md`, made from the commands' own help. */
export async function commandPage(): Promise<string> {
  const sections = await Promise.all(
    commands.map(async ({ name, load }) => [`## ${name}`, fenced(commandHelp(await load(), plain))]),
  );
  return `${[introduction, fenced(programHelp(commands, plain)), conventions, ...sections.flat()].join("\n\n")}\n`;
}

const introduction = `# The command line

This page is generated from what \`landfall --help\` and \`landfall help <command>\` print.`;

const conventions = `- Results go to standard output, everything else to standard error. With \`--json\` a result is one line of JSON whose
  \`schema\` tells what it is; a failure is one as well, \`landfall.error/1\`, with a code from [errors.md](errors.md).
  \`landfall run --json\` prints a line for every event, see [events.md](events.md).
- SIGINT and SIGTERM end a command in an orderly way, and so does a reader of standard output that goes away. A second
  signal ends it at once. An agent, an emulator or a monitor that is ended like this has done its work and exits with 0;
  any other command exits with 128 and the signal's number.
- \`NO_COLOR\` turns colours off, \`FORCE_COLOR\` on. \`NODE_DEBUG=landfall\` shows every MQTT packet, and every SMP packet
  of an MCU: its type, topic or command, and sizes, never a password, a body or a message's properties.`;

function fenced(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}
