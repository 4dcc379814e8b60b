import { describeCause, isLandfallError, type LandfallError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import type { McuIdentity } from "../../serial/groups/identity-group.ts";
import type { ImageSlot } from "../../serial/groups/image-group.ts";
import { type McuInfo, readMcuInfo } from "../../serial/mcu-info.ts";
import { whileUp } from "../../serial/while-up.ts";
import type { Agent } from "../agent.ts";
import { type McuDuty, type McuEvent, untilPortChanges } from "./mcu-duty.ts";
import { mcuComponent } from "./mcu-settings.ts";
import { reportOrWarn } from "./report-or-warn.ts";

/** How often the MCU is asked who it is, in milliseconds: of a restart, a plain UART tells nothing. */
const askEveryMs = 15_000;

/**
 * Says in the twin which MCU there is, whether its port is open, and what firmware it runs, whenever that changes, until the
 * duty's signal aborts. Resolves at the end. Never rejects.
 */
export async function watchMcu(
  agent: Pick<Agent, "report">,
  duty: McuDuty & { readonly tell: (event: McuEvent) => void },
): Promise<void> {
  const { link, log, signal, tell } = duty;
  const stop = tellOfPort(duty);
  let [known, knownBoot]: [string, unknown] = ["", undefined];
  try {
    for (;;) {
      const wasUp = link.isUp;
      const info = await presentInfo(duty);
      if (info !== "silent") {
        if (info?.identity !== undefined && info.identity.boot !== knownBoot) {
          knownBoot = info.identity.boot;
          tell(startOf(info, info.identity));
        }
        const facts = info === undefined ? absent : factsOf(info);
        const text = JSON.stringify(facts);
        if (text !== known && (await reportOrWarn(agent, { [mcuComponent]: facts }, duty))) known = text;
      }
      // The twin may have taken its time.
      if (link.isUp === wasUp) await untilPortChanges(duty, askEveryMs);
    }
  } catch (error) {
    if (signal.aborted || (isLandfallError(error) && ["hub.closed", "serial.closed"].includes(error.code))) return;
    log.error(`watching the MCU has ended: ${describeCause(error)}`, { error });
  } finally {
    stop();
  }
}

function tellOfPort({ link, tell }: Pick<McuDuty, "link"> & { readonly tell: (event: McuEvent) => void }): () => void {
  const port = link.portName;
  const onUp = (): void => tell({ event: "mcu-connected", port });
  const onDown = (error: LandfallError): void => tell({ event: "mcu-disconnected", port, error });
  link.on("up", onUp);
  link.on("down", onDown);
  if (link.isUp) onUp();
  else if (link.lastFailure !== undefined) onDown(link.lastFailure);
  return () => {
    link.off("up", onUp);
    link.off("down", onDown);
  };
}

/**
 * What the MCU says of itself; `undefined` while its port is away, `silent` while it does not answer over an open one, or is
 * still being looked for.
 */
async function presentInfo({ link, log, signal }: McuDuty): Promise<McuInfo | "silent" | undefined> {
  if (!link.isUp) return link.lastFailure === undefined ? "silent" : undefined;
  try {
    return await whileUp(link, signal, (whilePortStays) => readMcuInfo(link, { signal: whilePortStays }));
  } catch (error) {
    signal.throwIfAborted();
    if (!link.isUp) return undefined;
    log.debug(() => `the MCU could not be asked who it is: ${describeCause(error)}`);
    return "silent";
  }
}

const absent: JsonObject = { __t: "c", connected: false };

function startOf(info: McuInfo, { registrationId }: McuIdentity): McuEvent {
  const version = runningSlot(info)?.version;
  return { event: "mcu-started", registrationId, ...(version === undefined ? {} : { version }) };
}

function runningSlot({ slots }: McuInfo): ImageSlot | undefined {
  return slots?.find(({ image, active }) => image === 0 && active);
}

/** What firmware does not tell is taken out of the twin, where a former one may have left it. */
function factsOf(info: McuInfo): JsonObject {
  const { identity, board, system } = info;
  const running = runningSlot(info);
  return {
    __t: "c",
    connected: true,
    registrationId: identity?.registrationId ?? null,
    board: board ?? null,
    system: system ?? null,
    firmware: running === undefined ? null : { version: running.version, confirmed: running.confirmed },
    boot: identity === undefined ? null : String(identity.boot),
  };
}
