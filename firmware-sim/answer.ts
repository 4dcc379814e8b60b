import type { Group } from "./groups/group.ts";
import { Refusal, smpCode } from "./groups/refusal.ts";
import { composePacket, operation, type Packet } from "./wire/packet.ts";
import type { Body } from "./wire/value.ts";

/** What {@link answerTo} works with. */
export interface AnswerOptions {
  /** Longest packet that may be answered. */
  readonly longestBytes: number;
  /** Told of what no command should throw. */
  readonly onFailure: (error: unknown) => void;
}

/** Executes a request and puts the answer together, in the version of the request: an answer proper, or a fault. */
export async function answerTo(request: Packet, groups: readonly Group[], options: AnswerOptions): Promise<Answer> {
  const group = groups.find(({ id }) => id === request.group);
  // Whoever asks in a version that is not known yet is answered in the newest that is.
  const header = { ...request, version: Math.min(request.version, 1), operation: request.operation + 1 };
  const faulty = (refusal: Refusal): Answer => ({
    packet: composePacket(header, faultBody(refusal, group, header.version)),
    isFault: true,
  });
  try {
    const packet = composePacket(header, await execute(request, group));
    return packet.length <= options.longestBytes ? { packet, isFault: false } : faulty(Refusal.ofSmp(smpCode.tooLarge));
  } catch (error) {
    if (error instanceof Refusal) return faulty(error);
    options.onFailure(error);
    return faulty(Refusal.ofSmp(smpCode.unknown));
  }
}

/** A packet that answers. */
export interface Answer {
  readonly packet: Buffer;
  readonly isFault: boolean;
}

async function execute(request: Packet, group: Group | undefined): Promise<Body> {
  const command = group?.commands[request.command];
  const handler = request.operation === operation.read ? command?.read : command?.write;
  if (handler === undefined) throw Refusal.ofSmp(smpCode.notSupported);
  if (request.body === undefined) throw Refusal.ofSmp(smpCode.invalid);
  return handler(request.body);
}

function faultBody({ ofGroup, code }: Refusal, group: Group | undefined, version: number): Body {
  if (!ofGroup || group === undefined) return { rc: code };
  if (version === 0) return { rc: group.translate?.(code) ?? code };
  return { err: { group: group.id, rc: code } };
}
