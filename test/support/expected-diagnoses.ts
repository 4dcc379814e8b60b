import type { ResourceKind } from "../../src/emulator/private-link/resources/service-names.ts";
import type { StageDevice } from "./doctor-stage.ts";

/** What the doctor is to say about a staged row. */
export interface ExpectedDiagnosis {
  /** Null: nothing is wrong, or nothing that a device could see. */
  readonly diagnosis: string | null;
  readonly confidence?: "certain" | "likely" | "possible";
  readonly exitCode: 0 | 1 | 2;
  /** What the advice has to say, and to whom. */
  readonly advice?: RegExp;
  /** How the device differs from the usual one. */
  readonly device?: StageDevice;
  /** What differs where the row is staged for another kind of resource. */
  readonly kinds?: Readonly<Partial<Record<ResourceKind, Partial<ExpectedDiagnosis>>>>;
}

const healthy: ExpectedDiagnosis = { diagnosis: null, exitCode: 0 };

const invisible: ExpectedDiagnosis = {
  diagnosis: "private-endpoint-not-visible",
  confidence: "likely",
  exitCode: 1,
  advice:
    /link the private DNS zone privatelink\.\S+ .*misspelt.*falls back to the internet.*public suffix, never privatelink/,
};

const silentEndpoint: ExpectedDiagnosis = {
  diagnosis: "private-endpoint-silent",
  confidence: "likely",
  exitCode: 2,
  advice: /Approved: a Pending, Rejected or Disconnected one.*record.*security group and firewall rules/s,
};

const staleRecord: ExpectedDiagnosis = {
  diagnosis: "stale-record",
  confidence: "likely",
  exitCode: 2,
  advice: /whether the record of \S+ holds the private endpoint's address of today/,
};

const middlebox: ExpectedDiagnosis = {
  diagnosis: "middlebox-cuts-tls",
  confidence: "likely",
  exitCode: 2,
  advice: /let TLS to \S+ on port 8883 pass without inspection/,
};

const refusedOutside: ExpectedDiagnosis = {
  diagnosis: "public-path-refused",
  confidence: "likely",
  exitCode: 2,
  advice: /link the private DNS zone; on premises, forward \S+.*public access.*IP rules/s,
};

const overridden: ExpectedDiagnosis = {
  diagnosis: "hosts-file-overrides",
  confidence: "certain",
  exitCode: 1,
  advice: /the line/,
};

const deaf: ExpectedDiagnosis = {
  diagnosis: "name-servers-silent",
  confidence: "certain",
  exitCode: 2,
  advice: /name servers/,
};

const cutAnswer: ExpectedDiagnosis = {
  diagnosis: "dns-answer-cut",
  confidence: "certain",
  exitCode: 2,
  advice: /open TCP port 53/,
};

const blocked = (port: number, around: RegExp): ExpectedDiagnosis => ({
  diagnosis: "port-blocked",
  confidence: "likely",
  exitCode: 2,
  advice: new RegExp(`open TCP port ${port} to .*${around.source}`, "s"),
});

/** By the name of the row. A device has a private DPS and hub, and where the row is about them, the other services. */
export const expectedDiagnoses: Readonly<Record<string, ExpectedDiagnosis>> = {
  "healthy-network": healthy,
  "healthy-site": healthy,
  "healthy-internet": invisible,
  "healthy-outsider": invisible,
  "healthy-private-only": healthy,
  "zone-not-linked": invisible,
  "forwarder-missing": invisible,
  "zone-name-wrong": invisible,
  "fallback-to-internet": invisible,
  "record-missing": {
    diagnosis: "private-record-missing",
    confidence: "certain",
    exitCode: 2,
    advice: /create the A record "\S+" in the zone privatelink\.\S+, or to attach the zone group/,
  },
  "stale-record": silentEndpoint,
  "stale-record-refused": staleRecord,
  "stale-record-stranger": staleRecord,
  "events-record-missing": {
    diagnosis: "events-record-missing",
    confidence: "certain",
    exitCode: 2,
    advice: /iothub-ns-myhub-5510.*two records/s,
  },
  "endpoint-pending": silentEndpoint,
  "endpoint-rejected": silentEndpoint,
  "endpoint-disconnected": silentEndpoint,
  "filter-drops": {
    diagnosis: "private-network-unreachable",
    confidence: "likely",
    exitCode: 2,
    advice: /VPN or ExpressRoute.*security group and firewall rules/s,
  },
  "filter-drops-8883": blocked(8883, /transport = "mqtt-ws" in \[provisioning\]/),
  "filter-drops-443": { ...blocked(443, /myhub/), exitCode: 2 },
  "filter-drops-5671": blocked(5671, /servicebus/),
  "filter-rejects": {
    diagnosis: "firewall-rejects",
    confidence: "likely",
    exitCode: 2,
    advice: /firewall rule towards/,
  },
  "middlebox-reset": middlebox,
  "middlebox-closed": middlebox,
  "middlebox-silent": middlebox,
  "line-down": {
    diagnosis: "private-network-unreachable",
    confidence: "likely",
    exitCode: 2,
    advice: /VPN or ExpressRoute/,
  },
  "public-access-disabled": {
    ...refusedOutside,
    kinds: {
      "digital-twins": {
        diagnosis: "public-access-disabled",
        confidence: "certain",
        advice: /link the private DNS zone/,
      },
    },
  },
  "public-access-disabled-global": {
    diagnosis: "global-endpoint-refused",
    confidence: "likely",
    exitCode: 2,
    advice: /Remove `endpoint` from the settings/,
    device: { provisioning: { endpoint: "global" } },
  },
  "ip-filter": refusedOutside,
  "events-public-access-disabled": refusedOutside,
  "events-ip-filter": refusedOutside,
  "hub-not-private": {
    diagnosis: "service-not-private",
    confidence: "likely",
    exitCode: 2,
    advice: /owner of the IoT hub for a private endpoint of its own \(sub-resource iotHub\)/,
  },
  "dps-not-private": {
    diagnosis: "service-not-private",
    confidence: "likely",
    exitCode: 2,
    advice: /owner of the Device Provisioning Service for a private endpoint of its own \(sub-resource iotDps\)/,
  },
  "hub-in-another-cloud": {
    diagnosis: "hub-in-another-cloud",
    confidence: "certain",
    exitCode: 2,
    advice: /link a hub of the same cloud/,
    device: { assignedHub: "myhub-usgov.azure-devices.us" },
  },
  "hosts-file-private": overridden,
  "hosts-file-served": overridden,
  "hosts-file-public": overridden,
  "suffix-overridden": {
    diagnosis: "public-suffix-overridden",
    confidence: "likely",
    exitCode: 1,
    advice: /Use the privatelink zone/,
  },
  "suffix-shadowed": {
    diagnosis: "private-zone-shadows-name",
    confidence: "certain",
    exitCode: 2,
    advice: /create the record there, or to unlink the zone/,
  },
  "captive-portal": {
    diagnosis: "captive-portal",
    confidence: "likely",
    exitCode: 2,
    advice: /Sign in to the network's portal/,
  },
  "search-domain-wildcard": healthy,
  "server-fails": deaf,
  "server-refuses": deaf,
  "server-silent": deaf,
  "server-absent": deaf,
  "private-answers-stripped": {
    diagnosis: "private-answer-stripped",
    confidence: "likely",
    exitCode: 2,
    advice: /exempt \S+ from rebind protection/,
  },
  "answer-cut": cutAnswer,
  "answer-cut-refused": cutAnswer,
  "answer-truncated": healthy,
  "servers-disagree": {
    diagnosis: "name-servers-disagree",
    confidence: "certain",
    exitCode: 1,
    advice: /one network only/,
  },
  "first-server-public": {
    diagnosis: "name-servers-disagree",
    confidence: "certain",
    exitCode: 1,
    advice: /one network only/,
  },
  "first-server-silent": {
    diagnosis: "name-server-silent",
    confidence: "certain",
    exitCode: 1,
    advice: /Repair it, or remove it/,
  },
  "ipv6-only-network": invisible,
  "forged-id": healthy,
  "forged-question": healthy,
  "forged-query": healthy,
  "forged-source": healthy,
  "off-chain-records": healthy,
  "alias-loop": deaf,
  "alias-chain-endless": deaf,
  "answer-malformed": deaf,
};

/** What is expected of a row that is staged for one kind of resource. */
export function expectedOf(id: string, kind: ResourceKind): ExpectedDiagnosis {
  const expected = expectedDiagnoses[id];
  if (expected === undefined) throw new Error(`nobody says what the doctor is to make of "${id}"`);
  return { ...expected, ...expected.kinds?.[kind] };
}
