import { kindFacts } from "../resources/service-names.ts";
import type { Basis, DnsSight, Sight, StagedRow } from "./row.ts";
import { stage } from "./stage.ts";

const dnsWords: Readonly<Record<DnsSight, string>> = {
  private: "privatelink alias, private address",
  "private-without-privatelink": "private address, no privatelink alias",
  "public-behind-privatelink": "privatelink alias, public address",
  public: "public address, no privatelink alias",
  "record-missing": "privatelink alias, then no such name",
  "not-found": "no such name",
  "address-stripped": "privatelink alias, no address",
  forged: "an address of nobody in this world",
  servfail: "SERVFAIL",
  refused: "REFUSED",
  silent: "no answer",
  absent: "no name server there",
  cut: "truncated, TCP fails",
  unusable: "an answer that leads nowhere",
};

const tcpWords: Readonly<Record<Sight["tcp"], string>> = {
  carried: "connects",
  dropped: "times out",
  refused: "refused",
  reset: "connects, reset when TLS begins",
  closed: "connects, closed when TLS begins",
  silent: "connects, then silence",
  stranger: "connects, wrong certificate",
  "not-reached": "nothing to dial",
};

const applicationWords: Readonly<Record<Sight["application"], string>> = {
  answers: "answers",
  refuses: "refuses as it does a bad credential, or with 403",
  none: "not reached",
};

const basisWords: Readonly<Record<Basis, string>> = {
  documented: "documented",
  observed: "seen in a lab",
  likely: "likely; not published",
};

/** A row in words, for a table in documentation. */
export interface RowDescription {
  readonly id: string;
  readonly cause: string;
  /** The services that it can be staged for, by title. */
  readonly services: string;
  /** Several name servers in their order, with a semicolon between. */
  readonly dns: string;
  readonly tcp: string;
  readonly application: string;
  readonly basis: string;
}

/** What a device sees in a row, in words: at the name that the row is about, for the first of its kinds. */
export function describeRow({ id, cause, kinds, basis }: StagedRow): RowDescription {
  const [sight] = stage(id).sights;
  if (sight === undefined) throw new TypeError(`the row ${id} says nothing`);
  return {
    id,
    cause,
    services: kinds.map((kind) => kindFacts[kind].title).join(", "),
    dns: sight.dns.map((each) => dnsWords[each]).join("; "),
    tcp: tcpWords[sight.tcp],
    application: applicationWords[sight.application],
    basis: basisWords[basis],
  };
}
