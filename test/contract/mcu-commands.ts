import { expect, test } from "vitest";
import { CommandsGroup } from "../../src/serial/groups/commands-group.ts";
import { IdentityGroup } from "../../src/serial/groups/identity-group.ts";
import type { SmpRequest } from "../../src/serial/smp-client.ts";
import { fault, reset, type Scene } from "./mcu-scene.ts";

/** Commands, each executed once. */
export function commandsContract(get: () => Scene): void {
  let ids = 0;
  const command = async (name: string, args?: object): Promise<{ id: string; boot: number | bigint; name: string }> => {
    ids += 1;
    const { boot } = await new IdentityGroup(get().client).identity();
    return { id: `contract-${ids}`, boot, name, ...(args === undefined ? {} : { args }) };
  };
  const commands = (): CommandsGroup => new CommandsGroup(get().client, get().clock);

  test("lists its commands, and executes them", async () => {
    expect(await commands().names()).toEqual(expect.arrayContaining(["blink", "count", "calibrate"]));
    expect(await commands().execute(await command("blink", { times: 3 }))).toEqual({
      status: 200,
      result: { done: 3 },
    });
    expect(await commands().execute(await command("blink", { times: 0 }))).toMatchObject({ status: 400 });
  });

  test("executes a command once, however often it is asked for", async () => {
    const once = await command("count");
    const { result } = await commands().execute(once);
    for (let again = 0; again < 3; again++) {
      expect(await commands().execute(once)).toEqual({ status: 200, result });
    }
    const { count } = result as { count: number };
    expect((await commands().execute(await command("count"))).result).toEqual({ count: count + 1 });
  });

  test("remembers the answers of the last 16 commands at least", async () => {
    const executed = [];
    for (let index = 0; index < 16; index++) {
      const each = await command("count");
      executed.push([each, await commands().execute(each)] as const);
    }
    for (const [each, answer] of executed) expect(await commands().execute(each)).toEqual(answer);
  });

  test("answers a command that takes its time when it is done, once", async () => {
    const slow = await command("calibrate", { ms: 1_500 });
    const request: SmpRequest = { operation: "write", group: 72, command: 0, body: slow, repeatable: true };
    expect(await get().client.request(request)).toEqual({ id: slow.id });
    expect(await commands().execute(slow)).toEqual({ status: 200, result: { ms: 1_500 } });
    expect(await commands().execute(slow)).toEqual({ status: 200, result: { ms: 1_500 } });
  });

  test("answers a command that there is not with 404", async () => {
    expect(await commands().execute(await command("fly"))).toMatchObject({ status: 404 });
  });

  test("refuses a command of another life with 6, and a malformed one with 3", async () => {
    const right = await command("count");
    expect(await fault(commands().execute({ ...right, boot: Number(right.boot) - 1 }))).toEqual({ group: 72, rc: 6 });
    for (const wrong of [{ id: "" }, { id: "x".repeat(37) }, { name: "" }]) {
      expect(await fault(commands().execute({ ...right, ...wrong }))).toEqual({ group: 72, rc: 3 });
    }
  });

  test("executes nothing anew after a reset", async () => {
    const before = await command("count");
    await commands().execute(before);
    await reset(get());
    expect(await fault(commands().execute(before))).toEqual({ group: 72, rc: 6 });
  });
}
