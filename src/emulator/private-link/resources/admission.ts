import type { PrivateEndpointConnection } from "./endpoint-connection.ts";
import { type IpFilterRule, isAcceptedBy } from "./ip-filter.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import type { ResourceHost } from "./resource.ts";
import type { HostRole, ResourceKind } from "./service-names.ts";

/** What decides about a client's path; a `Resource` has it all. */
export interface AdmissionSubject {
  readonly kind: ResourceKind;
  readonly hosts: readonly Pick<ResourceHost, "role" | "publicAddress">[];
  readonly sharedAddresses: readonly string[];
  readonly publicNetworkAccess: "enabled" | "disabled";
  readonly ipFilter: readonly IpFilterRule[];
  readonly ipFilterCoversEvents: boolean;
  readonly connections: readonly Pick<PrivateEndpointConnection, "status" | "addresses">[];
}

/** The path that a client took. */
export interface AdmissionPath {
  /** The address that it dialled. */
  readonly arrivedAt: string;
  /** The address that it came from, as the service sees it. */
  readonly from: string;
}

/** Whether packets reach the service, and whether it then talks to the client. */
export type Admission =
  | { readonly carried: true; readonly path: "private" | "public"; readonly refusal?: Refusal }
  | { readonly carried: false; readonly because: "not-approved" | "address-of-another" };

/**
 * What becomes of a client that dialled `arrivedAt` and asks for this resource. Private Link carries approved connections only,
 * and only to the resource they were made for. On the public path, the global device endpoint included, the flag for public
 * access comes first, and while it is `disabled` no IP filter rule is looked at. The private path knows neither.
 */
export function admission(subject: AdmissionSubject, { arrivedAt, from }: AdmissionPath): Admission {
  for (const { status, addresses } of subject.connections) {
    if (![...addresses.values()].includes(arrivedAt)) continue;
    return status === "Approved" ? { carried: true, path: "private" } : { carried: false, because: "not-approved" };
  }
  const role = publicRole(subject, arrivedAt);
  if (role === undefined) return { carried: false, because: "address-of-another" };
  const because = refusalReason(subject, role, from);
  return because === undefined
    ? { carried: true, path: "public" }
    : { carried: true, path: "public", refusal: refusalOf(subject.kind, role, because) };
}

function publicRole({ hosts, sharedAddresses }: AdmissionSubject, arrivedAt: string): HostRole | undefined {
  const host = hosts.find(({ publicAddress }) => publicAddress === arrivedAt);
  return host?.role ?? (sharedAddresses.includes(arrivedAt) ? "service" : undefined);
}

function refusalReason(subject: AdmissionSubject, role: HostRole, from: string): Refusal["because"] | undefined {
  if (subject.publicNetworkAccess === "disabled") return "public-access-disabled";
  const covered = role === "service" || subject.ipFilterCoversEvents;
  return covered && !isAcceptedBy(subject.ipFilter, from) ? "ip-filter" : undefined;
}
