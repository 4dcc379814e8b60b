import { beforeAll, describe, expect, test } from "vitest";
import { Emulator, type EmulatorOptions, type EnrollmentOptions } from "../../src/emulator/index.ts";
import { type Attestation, attestationNames, makeAttestations } from "../support/dps-attestations.ts";
import {
  type Conversation,
  type Identity,
  registrationId,
  type Transport,
  transports,
} from "../support/dps-conversation.ts";
import type { Answered } from "../support/emulated-dps.ts";

/** One emulator, and a device's way to it. */
interface Scene {
  readonly emulator: Emulator;
  readonly attestation: Attestation;
  /** Opens a conversation as the device, or as somebody else. */
  converse(identity?: Identity): Promise<Conversation>;
  enroll(more?: Partial<EnrollmentOptions>): ReturnType<Emulator["dps"]["enroll"]>;
}

/** A registration to its end: every answer in order. */
async function wholeRegistration(conversation: Conversation): Promise<readonly Answered[]> {
  const all = [await conversation.register()];
  while (all.at(-1)?.status === 202) all.push(await conversation.poll(String(all[0]?.body.operationId)));
  return all;
}

const assignedAfter = (polls: number) => async (scene: Scene) => {
  scene.enroll({ hubs: ["hub-a"] });
  await using conversation = await scene.converse();
  const all = await wholeRegistration(conversation);
  expect(all.map(({ status }) => status)).toEqual([202, ...Array(polls).fill(202), 200]);
  expect(all.map(({ retryAfter }) => retryAfter)).toEqual([...Array(polls + 1).fill("3"), undefined]);
  expect(all.at(-1)?.body).toMatchObject({
    status: "assigned",
    registrationState: {
      registrationId,
      assignedHub: "hub-a.azure-devices.net",
      deviceId: registrationId,
      substatus: "initialAssignment",
    },
  });
};

const outcomes: readonly (readonly [string, EmulatorOptions, (scene: Scene) => Promise<void>])[] = [
  ["assigned at once", { assigningPolls: 0 }, assignedAfter(0)],
  ["assigned after 1 poll", { assigningPolls: 1 }, assignedAfter(1)],
  ["assigned after 3 polls", { assigningPolls: 3 }, assignedAfter(3)],
  [
    "429 with a wait at the registration",
    {},
    async ({ emulator, enroll, converse }) => {
      enroll();
      emulator.dps.faults.next(registrationId, "register", { status: 429, retryAfterSeconds: 7 });
      await using conversation = await converse();
      expect(await conversation.register()).toMatchObject({
        status: 429,
        retryAfter: "7",
        body: { errorCode: 429001 },
      });
      expect(await conversation.register()).toMatchObject({ status: 202 });
    },
  ],
  [
    "429 without a wait at a poll",
    { assigningPolls: 0 },
    async ({ emulator, enroll, converse }) => {
      enroll();
      emulator.dps.faults.next(registrationId, "poll", { status: 429 });
      await using conversation = await converse();
      const operationId = String((await conversation.register()).body.operationId);
      const refused = await conversation.poll(operationId);
      expect(refused).toMatchObject({ status: 429, body: { errorCode: 429001 } });
      expect(refused.retryAfter).toBeUndefined();
      expect(await conversation.poll(operationId)).toMatchObject({ status: 200, body: { status: "assigned" } });
    },
  ],
  [
    "failed with 400207",
    {},
    async ({ enroll, converse }) => {
      enroll({ failure: { errorCode: 400207, message: "Custom allocation failed with status code: 400" } });
      await using conversation = await converse();
      expect((await wholeRegistration(conversation)).at(-1)).toMatchObject({
        status: 200,
        body: { status: "failed", registrationState: { status: "failed", errorCode: 400207 } },
      });
    },
  ],
  [
    "401002 for an impostor",
    {},
    async ({ enroll, converse, attestation }) => {
      enroll();
      await using conversation = await converse(attestation.impostor);
      const refused = await conversation.register();
      expect(refused).toMatchObject({ status: 401, body: { errorCode: 401002, trackingId: expect.any(String) } });
      expect(refused.body).not.toHaveProperty("authenticationKey");
    },
  ],
  [
    "404201 for nobody's device",
    {},
    async ({ converse }) => {
      await using conversation = await converse();
      expect(await conversation.register()).toMatchObject({ status: 404, body: { errorCode: 404201 } });
    },
  ],
  [
    "another hub at the next registration",
    {},
    async ({ enroll, converse, emulator }) => {
      const enrollment = enroll({ hubs: ["hub-a"] });
      await using conversation = await converse();
      await wholeRegistration(conversation);
      enrollment.update({ hubs: ["hub-b"] });
      expect((await wholeRegistration(conversation)).at(-1)).toMatchObject({
        body: { registrationState: { assignedHub: "hub-b.azure-devices.net", substatus: "deviceDataMigrated" } },
      });
      expect(emulator.hubs.map(({ deviceIds }) => deviceIds)).toEqual([[], [registrationId]]);
    },
  ],
  [
    "disabled",
    {},
    async ({ enroll, converse }) => {
      enroll({ disabled: true });
      await using conversation = await converse();
      expect((await wholeRegistration(conversation)).at(-1)).toMatchObject({
        status: 200,
        body: { status: "disabled" },
      });
    },
  ],
];

describe.each(Object.keys(transports))("a registration over %s", (transportName) => {
  let attestations: Readonly<Record<string, Attestation>>;
  beforeAll(async () => {
    attestations = await makeAttestations();
  });

  describe.each(attestationNames)("by %s", (attestationName) => {
    test.each(outcomes)("ends as: %s", async (_, options, run) => {
      const attestation = attestations[attestationName] as Attestation;
      await using emulator = await Emulator.start({ hubs: ["hub-a", "hub-b"], retryAfterSeconds: 3, ...options });
      await run({
        emulator,
        attestation,
        converse: (identity = attestation.device) => (transports[transportName] as Transport)(emulator, identity),
        enroll: (more = {}) => emulator.dps.enroll({ ...attestation.enrollment, ...more } as EnrollmentOptions),
      });
    });
  });
});
