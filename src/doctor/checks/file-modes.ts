import { stat } from "node:fs/promises";
import { join } from "node:path";
import { memoryFile } from "../../endpoint/network-memory-store.ts";
import { defineCheck } from "../check.ts";
import { keyFilesOf } from "../key-files.ts";

/** Whether files with keys, and what the agent keeps, are for its user alone. */
export const fileModes = defineCheck({
  id: "config.file-modes",
  group: "config",
  title: "File modes",
  does: "Looks at the permissions of key files, of the state directory and of the files in it. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    "open-key": {
      status: "warning",
      when: "A file with a private key is open to its group. One that is open to everybody is a fault of the configuration.",
      cause: "The file was copied with the usual permissions.",
      remedy: "chmod 600 FILE",
    },
    "open-state": {
      status: "warning",
      when: "The state directory, or a file in it, is open to others than the agent's user.",
      cause: "Somebody else made the directory.",
      remedy: "chmod 700 DIRECTORY",
    },
    "foreign-state": {
      status: "warning",
      when: "The state directory, or a file in it, belongs to another user than the one who runs the doctor.",
      cause: "A command of the agent was run as root once; or the doctor runs as another user than the agent.",
      remedy:
        "Run the doctor as the agent's user; if the finding stays, give the directory to that user with chown -R.",
    },
  },
  async run({ settings }, { found }) {
    const keys = await keyFilesOf(settings);
    const { directory } = settings.state;
    const kept = await Promise.all(["", "assignment.json", memoryFile].map((name) => look(join(directory, name))));
    const there = kept.flatMap((each) => each ?? []);
    const me = process.getuid?.();
    return {
      summary: there.length === 0 ? `${directory} does not exist yet` : directory,
      findings: [
        ...keys
          .filter(({ openTo }) => openTo !== "nobody")
          .map(({ path, mode, remedy }) =>
            found("open-key", { text: `${path} is open to its group (mode ${mode})`, remedy }),
          ),
        ...there
          .filter(({ mode }) => (mode & 0o077) !== 0)
          .map(({ path, mode, isDirectory }) =>
            found("open-state", {
              text: `${path} has mode ${mode.toString(8).padStart(4, "0")}`,
              remedy: `chmod ${isDirectory ? "700" : "600"} ${path}`,
            }),
          ),
        ...there
          .filter(({ owner }) => me !== undefined && owner !== me)
          .map(({ path, owner }) =>
            found("foreign-state", { text: `${path} belongs to user id ${owner}, and this is user id ${me}` }),
          ),
      ],
      data: { directory, exists: there.length > 0 },
    };
  },
});

interface Kept {
  readonly path: string;
  readonly mode: number;
  readonly owner: number;
  readonly isDirectory: boolean;
}

async function look(path: string): Promise<Kept | undefined> {
  try {
    const found = await stat(path);
    const mode = process.platform === "win32" ? 0o600 : found.mode & 0o777;
    return { path, mode, owner: found.uid, isDirectory: found.isDirectory() };
  } catch {
    return undefined;
  }
}
