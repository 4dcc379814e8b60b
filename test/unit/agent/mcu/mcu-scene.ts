import { silentLogger } from "../../../../src/log.ts";
import { SmpLink } from "../../../../src/serial/smp-link.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { ScriptedMcu } from "../../../support/scripted-mcu.ts";

/** A link to a scripted MCU, for the tests of what an agent does with it. */
export class McuScene implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly mcu = new ScriptedMcu();
  readonly ending = new AbortController();
  readonly link: SmpLink;

  static async create(): Promise<McuScene> {
    const [clock, mcu] = [new FakeClock(), new ScriptedMcu()];
    return new McuScene(clock, mcu, await SmpLink.start({ port: mcu.port, clock, random: () => 0.5 }));
  }

  private constructor(clock: FakeClock, mcu: ScriptedMcu, link: SmpLink) {
    this.clock = clock;
    this.mcu = mcu;
    this.link = link;
  }

  get duty() {
    return { link: this.link, clock: this.clock, log: silentLogger, signal: this.ending.signal };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ending.abort(new Error("the test is over"));
    await this.link.close();
  }
}
