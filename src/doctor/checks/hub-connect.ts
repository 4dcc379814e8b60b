import { routeOf } from "../../endpoint/route-of.ts";
import { isLandfallError } from "../../errors.ts";
import { defineCheck } from "../check.ts";
import { usedPort } from "../service.ts";
import { sightOf } from "../sight.ts";
import { saidBy } from "../words.ts";

const credentialChecks = ["credential.readable", "credential.validity"] as const;

const failures = {
  unauthorized: {
    status: "failed",
    when: "The hub refuses the device (CONNACK 4 or 5).",
    cause:
      "The key or certificate is not that of the device, the device is disabled, or the clock is wrong. Azure answers the same, likely, when public network access is disabled or an IP rule applies, and the connection came by the public path.",
    remedy: "Run `landfall provision`; by a public path, ask the owner of the hub about public access and IP rules.",
  },
  "unknown-device": {
    status: "failed",
    when: "The hub does not know the device (CONNACK 2).",
    cause: "The device was deleted at the hub, or moved to another one.",
    remedy: "Run `landfall provision`: DPS assigns it anew.",
  },
  unavailable: {
    status: "unknown",
    when: "The hub says that it is unavailable (CONNACK 3).",
    cause: "The hub is being moved, or has too much to do.",
    remedy: "Try again later.",
  },
  refused: {
    status: "failed",
    when: "The hub refuses the connection in another way.",
    cause: "Something between the device and the hub, or a hub of another kind.",
    remedy: "Ask the owner of the hub, with the code at hand.",
  },
  "no-answer": {
    status: "failed",
    when: "TLS works, and the hub does not answer CONNECT.",
    cause: "A middlebox lets TLS through and cuts or swallows what is not HTTP.",
    remedy: "Ask whoever runs the network about inspection of this port.",
  },
} as const;

const codes: Readonly<Record<string, keyof typeof failures>> = {
  "transport.unauthorized": "unauthorized",
  "transport.identifier-rejected": "unknown-device",
  "transport.unavailable": "unavailable",
  "transport.closed": "no-answer",
  "transport.timeout": "no-answer",
};

/** Whether the hub lets this device in. */
export const hubConnect = defineCheck({
  id: "hub.connect",
  group: "access",
  title: "Device at its hub",
  does: "Connects to the hub as the device does, waits for the answer to CONNECT, and disconnects at once. A hub has one connection for each device, so this throws out an agent that is connected: it is done only with --hub-connect.",
  dependsOn: ["hub.name"],
  follows: [...credentialChecks, "tls.hub.8883", "tls.hub.443"],
  deadlineMs: 30_000,
  failures,
  async run(context, { signal, results, found }) {
    const subject = await context.subject("hub");
    const hub = await context.hub();
    if (subject === undefined || hub === undefined) return { skipped: "no hub is known" };
    const tls = results.get(`tls.hub.${usedPort("hub", context.settings)}`);
    if (tls !== undefined && (tls.status === "skipped" || tls.data.failure !== undefined)) {
      return { skipped: `needs ${tls.id}`, because: tls.id };
    }
    const broken = credentialChecks.find((id) => results.get(id)?.status === "failed");
    if (broken !== undefined) return { skipped: `needs ${broken}`, because: broken };
    if (!context.mayConnectToHub) {
      return { skipped: "would throw out a running agent; stop it and add --hub-connect", because: "--hub-connect" };
    }
    const { decision } = subject;
    const { knownPrivate } = sightOf(hub.host, context.endpoint, subject.evidence);
    const facts = { path: decision.path, knownPrivate };
    try {
      const { attestation } = await context.attestation();
      const identity = { deviceId: hub.deviceId, credential: await attestation.hubCredential() };
      const connection = await context.hubTransport.connect(routeOf(decision), identity, {}, { signal });
      await connection.close();
      return { summary: `${hub.host} lets the device in`, data: { outcome: "accepted", ...facts } };
    } catch (error) {
      signal.throwIfAborted();
      const code = (isLandfallError(error) ? codes[error.code] : undefined) ?? "refused";
      const text = saidBy(error);
      return { summary: text, findings: [found(code, { text })], data: { outcome: code, ...facts } };
    }
  },
});
