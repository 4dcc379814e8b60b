import { type Deferred, deferred } from "../../deferred.ts";
import { AnswerFields } from "../answer-fields.ts";
import type { CborMap, CborValue } from "../cbor.ts";
import type { SmpCallOptions, SmpClient, SmpPush, SmpPushHandler } from "../smp-client.ts";
import { SmpRefusal, smpCodes } from "../smp-faults.ts";

/** A message of the MCU's for the hub. */
export interface McuMessage {
  /** Which life of the firmware it is from. */
  readonly boot: number | bigint;
  /** Counts the messages of that life, from 0. */
  readonly number: number;
  /** Milliseconds since the start of the firmware, when it was made. */
  readonly uptimeMs: number;
  readonly data: CborMap;
  readonly properties: Readonly<Record<string, string>>;
}

const group = 71;

/** Lets the MCU push messages, or stops it. Resolves with the firmware's `boot`. Off after each start of the firmware. */
export async function allowTelemetry(
  client: SmpClient,
  on: boolean,
  options?: SmpCallOptions,
): Promise<number | bigint> {
  const request = { operation: "write", group, command: 0, body: { on }, repeatable: true } as const;
  return new AnswerFields("the answer to pushing", await client.request(request, options)).unsigned("boot");
}

/** A message that is being passed on, or has been. */
interface Passing {
  readonly boot: number | bigint;
  readonly number: number;
  isPassed: boolean;
  /** Settles with the message; the last of its sayings waits for it. */
  saying: Deferred<void>;
}

/**
 * Takes the messages that an MCU pushes: it says each again until it is answered, `pass` gets each once, and one at a time. The
 * MCU is answered when `pass` has resolved, and sends nothing more until then; when it rejects, the MCU will say the message
 * again, unless it is an `SmpRefusal`, with which the MCU is told that its message is not wanted. Of the sayings of one
 * message only the last is answered; another message is refused as busy in the meantime. So nothing heaps up, however long
 * `pass` takes and whatever the MCU does.
 */
export function telemetryReceiver(pass: (message: McuMessage) => Promise<void>): SmpPushHandler {
  let latest: Passing | undefined;
  const begin = (message: McuMessage): Passing => {
    const { boot, number } = message;
    const passing: Passing = { boot, number, isPassed: false, saying: deferred() };
    pass(message).then(
      () => {
        passing.isPassed = true;
        passing.saying.resolve();
      },
      (error) => {
        // What could not be passed on is no repetition when it comes again.
        latest = undefined;
        passing.saying.reject(error);
      },
    );
    return passing;
  };
  return async (push) => {
    const message = readMessage(push);
    if (latest?.boot !== message.boot || latest.number !== message.number) {
      if (latest?.isPassed === false) throw refusal(smpCodes.busy);
      latest = begin(message);
    } else if (!latest.isPassed) {
      latest.saying.reject(new Error("the MCU has said it again"));
      latest.saying = deferred();
    }
    await latest.saying.promise;
    return { n: message.number };
  };
}

function readMessage({ operation, command, body }: SmpPush): McuMessage {
  if (operation !== "write" || command !== 1) throw refusal(smpCodes.notSupported);
  try {
    const fields = new AnswerFields("telemetry", body);
    return {
      boot: fields.unsigned("boot"),
      number: fields.count("n"),
      uptimeMs: fields.count("ms"),
      data: fields.map("data"),
      properties: Object.fromEntries(Object.entries(fields.optionalMap("props") ?? {}).map(requireText)),
    };
  } catch (cause) {
    throw refusal(smpCodes.invalid, cause);
  }
}

function requireText([name, value]: [string, CborValue]): [string, string] {
  if (typeof value !== "string") throw new TypeError(`expected a text as property "${name}"`);
  return [name, value];
}

function refusal(rc: number, cause?: unknown): SmpRefusal {
  return new SmpRefusal("take telemetry", { group, rc }, { cause });
}
