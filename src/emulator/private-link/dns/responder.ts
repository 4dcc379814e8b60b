import { parseNat64Prefix } from "./dns64.ts";
import type { HostsEntry } from "./hosts-file.ts";
import type { DnsQuestion } from "./message.ts";
import type { DnsReach, DnsResponder } from "./name-server.ts";
import { type DnsView, resolve } from "./resolution.ts";
import { type DnsTreatment, treat } from "./treatment.ts";
import type { DnsZone } from "./zone.ts";

/** Whose eyes a name server sees with: those of its place, of the virtual network, or of the public internet. */
export type ViewName = "own" | "virtual-network" | "internet";

/** What a name server answers. */
export interface DnsAnswers {
  /** Default `own`. */
  readonly view?: ViewName | undefined;
  /** What it does with its replies, by name; `*` for every name that is not listed. Default `honest`. */
  readonly treatments?: Readonly<Record<string, DnsTreatment>> | undefined;
  /** Zones that it answers from before all others: an override of a public suffix, a search domain, a captive portal. */
  readonly zones?: readonly DnsZone[] | undefined;
  /** Makes up IPv6 addresses behind this prefix, such as `64:ff9b::/96`. */
  readonly dns64?: string | undefined;
  /** Answers from the place's hosts file too, as a local stub does. Default false. */
  readonly servesHosts?: boolean | undefined;
}

/** One name server of a place. */
export interface NameServerSettings extends DnsAnswers {
  /** Default `udp-and-tcp`. */
  readonly reach?: DnsReach | undefined;
  /** Answers that change by themselves: after so many queries (for this name and type, where given) `to` holds. */
  readonly flip?: DnsFlip | undefined;
}

/** When a name server's answers change by themselves. */
export interface DnsFlip {
  /** Queries that still get the first answer; 0 or more. Each counts, resent ones and those over TCP too. */
  readonly afterQueries: number;
  readonly name?: string | undefined;
  readonly type?: string | undefined;
  readonly to: DnsAnswers;
}

/** What a place's servers answer from; asked anew for each query, so that a change of the world shows at once. */
export interface ViewSource {
  view(name: ViewName): DnsView;
  hosts(): readonly HostsEntry[];
}

/** The responder of a name server. Throws `emulator.rejected` for a prefix that cannot be read. */
export function createResponder(settings: NameServerSettings, source: ViewSource): DnsResponder {
  const first = answering(settings, source);
  const { flip } = settings;
  if (flip === undefined) return first;
  const then = answering(flip.to, source);
  let seen = 0;
  return (question, carrier) => {
    if (!isMeant(flip, question)) return first(question, carrier);
    seen += 1;
    return (seen > flip.afterQueries ? then : first)(question, carrier);
  };
}

function isMeant({ name, type }: DnsFlip, question: DnsQuestion): boolean {
  return (name === undefined || name === question.name) && (type === undefined || type === question.type);
}

function answering(answers: DnsAnswers, source: ViewSource): DnsResponder {
  const { view = "own", treatments = {}, zones = [], dns64, servesHosts = false } = answers;
  const nat64 = dns64 === undefined ? undefined : parseNat64Prefix(dns64);
  return (question, carrier) => {
    const base = source.view(view);
    const reply = resolve(
      {
        ...base,
        served: [...zones.map((zone) => ({ zone })), ...base.served],
        ...(nat64 === undefined ? {} : { nat64 }),
        ...(servesHosts ? { hosts: source.hosts() } : {}),
      },
      question,
    );
    return treat(treatments[question.name] ?? treatments["*"] ?? "honest", reply, question, carrier);
  };
}
