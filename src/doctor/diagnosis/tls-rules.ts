import { byFinding, byService, type DiagnosisRule } from "./rule.ts";
import { byTls, neededTls, otherTransport } from "./way.ts";

/** What TLS shows of the way to a service. */
export const tlsRules: readonly DiagnosisRule[] = [
  byService({
    id: "middlebox-cuts-tls",
    confidence: "likely",
    about: "TCP opens, and TLS is reset, closed or starved: something on the way looks into it.",
    match(service) {
      const failure = neededTls(service);
      if (failure !== "cut" && failure !== "silent") return undefined;
      const port = service.neededPort ?? 0;
      const trusted = [...service.tls].filter(([, outcome]) => outcome === "ok").map(([each]) => each);
      const how = failure === "cut" ? "cut while TLS begins" : "left without an answer once TLS begins";
      return byTls(
        service,
        `the connection to ${service.host}:${port} is ${how}: likely by a firewall or proxy that inspects TLS`,
        [
          `Ask whoever runs the network to let TLS to ${service.host} on port ${port} pass without inspection.`,
          ...otherTransport(service, port, trusted),
        ],
      );
    },
  }),
  byService({
    id: "tls-inspection",
    confidence: "likely",
    about: "The certificate is signed by nobody who is trusted: something on the way speaks in the service's place.",
    match(service) {
      const failure = neededTls(service);
      if (failure !== "untrusted" && failure !== "wrong-name" && failure !== "not-valid-now") return undefined;
      return byTls(
        service,
        `what answers for ${service.host} shows a certificate that is not the service's: likely TLS is inspected on the way`,
        [
          "Ask whoever runs the network to exempt Azure's names from TLS inspection: a client certificate cannot pass it.",
          "If inspection is meant and this device has a symmetric key, put the inspector's CA into [network] trust_bundle.",
        ],
      );
    },
  }),
  byFinding({
    id: "connection-diverted",
    confidence: "certain",
    about: "Connections lead to other addresses than those that were dialled.",
    findings: ["tls.*/unvetted"],
  }),
  byFinding({
    id: "tls-broken",
    confidence: "possible",
    about: "TLS with the service fails in an unusual way.",
    findings: ["tls.*/broken"],
  }),
];
