import { execFile } from "node:child_process";
import { access, chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import tls from "node:tls";
import { promisify } from "node:util";
import { describeCause, LandfallError } from "../../errors.ts";
import { engineText } from "./engine-text.ts";
import { engineFile } from "./landfall-engine.ts";
import { withEnvironment } from "./with-environment.ts";

const run = promisify(execFile);

/** How the engine is built. */
export interface EngineBuild {
  /** Where it is put; made if it is not there. */
  readonly folder: string;
  /** Compilers to try, in their order. Default: what `CC` names, or `cc`, `gcc` and `clang`. */
  readonly compilers?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compiles the engine, puts it into place and has this process's OpenSSL load it. Resolves with its path.
 *
 * Rejects with `key.program-missing` when there is no C compiler or the headers of OpenSSL 3 are missing,
 * `key.engine-missing` when what was built does not load, and with `signal.reason`.
 */
export async function buildEngine({ folder, compilers = defaultCompilers(), signal }: EngineBuild): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "landfall-build-"));
  try {
    const source = join(scratch, "landfall-engine.c");
    await writeFile(source, engineText);
    const built = join(scratch, engineFile);
    await compile(compilers, ["-O2", "-fPIC", "-shared", ...(await includes()), "-o", built, source], signal);
    return await install(built, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function defaultCompilers(): readonly string[] {
  return process.env.CC ? [process.env.CC] : ["cc", "gcc", "clang"];
}

/** Node brings the headers of the OpenSSL that it carries, unless it came without any headers; then the system's do. */
async function includes(): Promise<readonly string[]> {
  const folder = join(dirname(dirname(process.execPath)), "include", "node");
  const there = await access(join(folder, "openssl", "engine.h")).then(
    () => true,
    () => false,
  );
  return there ? ["-I", folder] : [];
}

async function compile(
  compilers: readonly string[],
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const compiler of compilers) {
    try {
      await run(compiler, args, { env: { ...process.env, LC_ALL: "C" }, ...(signal === undefined ? {} : { signal }) });
      return;
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") continue;
      const said = String((cause as { readonly stderr?: unknown }).stderr ?? "").trim();
      const hint = /openssl\/\w+\.h/.test(said) ? " Install the package libssl-dev." : "";
      const details = said.split("\n").slice(0, 5);
      throw new LandfallError("key.program-missing", `${compiler} cannot compile the engine.${hint}`, {
        cause,
        details,
      });
    }
  }
  throw new LandfallError(
    "key.program-missing",
    `Expected a C compiler, ${compilers.join(" or ")}, such as that of the package gcc; found none.`,
  );
}

async function install(built: string, folder: string): Promise<string> {
  const file = join(folder, engineFile);
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    // Within the folder, so that a process that has the old one loaded keeps it whole.
    const beside = await mkdtemp(join(folder, ".new-"));
    try {
      const complete = join(beside, engineFile);
      await copyFile(built, complete);
      await chmod(complete, 0o644);
      await rename(complete, file);
    } finally {
      await rm(beside, { recursive: true, force: true });
    }
  } catch (cause) {
    throw new LandfallError("key.engine-missing", `Cannot put the engine into ${folder}: ${describeCause(cause)}.`, {
      cause,
    });
  }
  tryToLoad(folder);
  return file;
}

/** Asks the engine for a key that has no proper name, which it says, if it is there to say anything. */
function tryToLoad(folder: string): void {
  try {
    withEnvironment({ OPENSSL_ENGINES: folder }, () =>
      tls.createSecureContext({ privateKeyEngine: "landfall", privateKeyIdentifier: "-" }),
    );
  } catch (cause) {
    if (describeCause(cause).includes("the name of the key is malformed")) return;
    throw new LandfallError("key.engine-missing", `OpenSSL does not load the engine in ${folder}.`, { cause });
  }
}
