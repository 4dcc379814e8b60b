import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderTemplate } from "../../src/config/template.ts";
import type { DnsAnswers } from "../../src/emulator/private-link/dns/responder.ts";
import { type EndedProcess, type JsonLine, programFile, RunningProcess } from "./landfall-process.ts";
import type { ScratchFolder } from "./scratch-folder.ts";

const laboratory = fileURLToPath(new URL("namespace-lab.mjs", import.meta.url));

/** Namespaces of its own for users, mounts and networks; what runs in them is root there and nowhere else. */
const ownNamespaces = ["-U", "-r", "-n", "-m", "--propagation", "private"];

/** What the tests cannot have on this machine; undefined when there is everything. */
export function whatNamespacesLack(): string | undefined {
  try {
    execFileSync("unshare", [...ownNamespaces, "sh", "-c", "ip link show lo && nft list ruleset"], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return String((error as Error).message)
      .trim()
      .replaceAll("\n", " ");
  }
}

/** Name servers' answers that change, as far as an order can carry them. */
export type LabNames = Omit<DnsAnswers, "zones"> & {
  readonly flip?: { afterQueries: number; name: string; to: DnsAnswers };
};

let labs = 0;

/**
 * A cloud and a device in network namespaces: real addresses, real name servers on port 53, a real packet filter. The device is
 * told nothing of it: no `connect_to`, no `name_servers`. Nothing leaves the namespaces; they vanish with their process.
 */
export class NamespaceLab implements AsyncDisposable {
  /** Of the private endpoint. */
  readonly address: string;
  readonly #process: RunningProcess;
  readonly #directory: string;
  readonly #ready: JsonLine;
  #answers = 1;

  private constructor(process: RunningProcess, directory: string, ready: JsonLine) {
    this.#process = process;
    this.#directory = directory;
    this.#ready = ready;
    this.address = String(ready.address);
  }

  static async open(folder: ScratchFolder): Promise<NamespaceLab> {
    const directory = folder.file(`lab-${++labs}`);
    await mkdir(directory, { mode: 0o700 });
    const args = [...ownNamespaces, process.execPath, laboratory, directory, programFile];
    const lab = new RunningProcess("unshare", args);
    return new NamespaceLab(lab, directory, await lab.json());
  }

  /** Puts rules (nftables, chain input of the cloud) in the place of those before. */
  async filter(...rules: readonly string[]): Promise<void> {
    await this.#order({ order: "filter", rules });
  }

  /** Lets the name server answer in another way. */
  async names(settings: LabNames): Promise<void> {
    await this.#order({ order: "names", settings });
  }

  /** Puts another address in the record of the DPS's private endpoint; `null` takes the record out of its zone. */
  async record(address: string | null): Promise<void> {
    await this.#order({ order: "record", address });
  }

  /** Leaves the device without a route to an address. */
  async removeRoute(address: string): Promise<void> {
    await this.#order({ order: "removeRoute", address });
  }

  /** Runs landfall as the device, to its end. */
  async landfall(args: readonly string[], provisioning: Record<string, unknown> = {}): Promise<EndedProcess> {
    const file = join(this.#directory, "landfall.toml");
    const configuration = renderTemplate({
      provisioning: {
        source: "dps",
        id_scope: "0ne00000001",
        dps_name: "mydps",
        ...provisioning,
        attestation: {
          method: "symmetric_key",
          registration_id: "press-0001",
          symmetric_key: { value: this.#ready.primaryKey as string },
        },
      },
      network: { trust_bundle: this.#ready.caFile as string },
      state: { directory: join(this.#directory, "state") },
    });
    await writeFile(file, configuration, { mode: 0o600 });
    return (await this.#order({ order: "landfall", args: [...args, "-c", file] })) as unknown as EndedProcess;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.child.stdin.end();
    await this.#process.exited;
  }

  /** One order at a time: answers come in the order of the orders. */
  async #order(order: object): Promise<JsonLine> {
    const at = this.#answers++;
    this.#process.write(`${JSON.stringify(order)}\n`);
    return this.#process.json((line) => this.#process.lines.indexOf(line) === at);
  }
}
