import type { CheckResult, Finding } from "../result.ts";
import { type ServiceName, serviceNames } from "../service.ts";

/** What the results say about the way to one service. */
export interface ServiceSymptoms {
  readonly service: ServiceName;
  /** What is dialled; else {@link name}. */
  readonly host: string;
  /** The service's own name, also where the global endpoint is dialled in its place. */
  readonly name: string;
  /** Where the decision leads; `none` when nothing may be dialled or nothing was decided. */
  readonly path: "private" | "public" | "unknown" | "none";
  /** Code of the decision's reason. */
  readonly reason: string | undefined;
  /** A private endpoint shows in DNS. */
  readonly knownPrivate: boolean;
  /** How TCP turned out: `open`, or how it failed; by port, tried ones alone. */
  readonly tcp: ReadonlyMap<number, string>;
  /** How TLS failed, or `ok`; by port, tried ones alone. */
  readonly tls: ReadonlyMap<number, string>;
  /** The port that this device, or whoever uses the service, needs. */
  readonly neededPort: number | undefined;
}

/** The results of an examination, in the terms in which the rules of diagnosis are written. */
export class Symptoms {
  readonly results: readonly CheckResult[];
  readonly services: readonly ServiceSymptoms[];
  readonly #byId: ReadonlyMap<string, CheckResult>;

  constructor(results: readonly CheckResult[]) {
    this.results = results;
    this.#byId = new Map(results.map((result) => [result.id, result]));
    this.services = serviceNames.map((service) => this.#service(service));
  }

  result(id: string): CheckResult | undefined {
    return this.#byId.get(id);
  }

  /** The finding of a check by its code. */
  finding(id: string, code: string): Finding | undefined {
    return this.#byId.get(id)?.findings.find((each) => each.code === code);
  }

  /** A fact of a check's data. */
  fact(id: string, name: string): unknown {
    return this.#byId.get(id)?.data[name];
  }

  service(name: ServiceName): ServiceSymptoms {
    return this.services[serviceNames.indexOf(name)] as ServiceSymptoms;
  }

  /** Whether any service but this one is reached at a private address. */
  reachesAnotherPrivately(service: ServiceName): boolean {
    return this.services.some(
      (each) => each.service !== service && each.path === "private" && [...each.tcp.values()].includes("open"),
    );
  }

  /** Services at private addresses, but for this one, of which no port is open. */
  otherPrivateSilent(service: ServiceName): boolean {
    const others = this.services.filter(
      (each) => each.service !== service && each.path === "private" && each.tcp.size > 0,
    );
    return others.length > 0 && others.every(({ tcp }) => ![...tcp.values()].includes("open"));
  }

  #service(service: ServiceName): ServiceSymptoms {
    const choice = this.#byId.get(`endpoint.${service}`)?.data ?? {};
    const view = this.#byId.get(`dns.${service}`)?.data ?? {};
    const attempts = this.#ports("tcp", service);
    const path = choice.kind === "none" ? "none" : choice.path;
    return {
      service,
      host: String(choice.host ?? view.host ?? service),
      name: String(view.host ?? choice.host ?? service),
      path: path === "private" || path === "public" || path === "unknown" ? path : "none",
      reason: typeof choice.reason === "string" ? choice.reason : undefined,
      knownPrivate: view.knownPrivate === true,
      tcp: new Map(attempts.flatMap(([port, data]) => outcomeOf(data).map((outcome) => [port, outcome]))),
      tls: new Map(
        this.#ports("tls", service).flatMap(([port, data]) =>
          data.failure !== undefined ? [[port, String(data.failure)]] : data.peer !== undefined ? [[port, "ok"]] : [],
        ),
      ),
      neededPort: attempts.find(([, data]) => data.need === "needed")?.[0],
    };
  }

  #ports(kind: "tcp" | "tls", service: ServiceName): [number, CheckResult["data"]][] {
    const prefix = `${kind}.${service}.`;
    return this.results
      .filter(({ id }) => id.startsWith(prefix))
      .map(({ id, data }) => [Number(id.slice(prefix.length)), data]);
  }
}

/** `open` when any address is, else how the first one failed; empty when none was tried. */
function outcomeOf({ attempts }: CheckResult["data"]): string[] {
  if (!Array.isArray(attempts) || attempts.length === 0) return [];
  const outcomes = attempts.map((each: { readonly outcome?: unknown }) => String(each.outcome));
  return [outcomes.includes("open") ? "open" : (outcomes[0] ?? "broken")];
}
