import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { deferred } from "../../../../src/deferred.ts";
import type { DigestSigner } from "../../../../src/keys/digest-signer.ts";
import { SigningService } from "../../../../src/keys/engine/signing-service.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { ScratchFolder } from "../../../support/scratch-folder.ts";

const scratch = new ScratchFolder();
const token = "0123456789abcdef".repeat(4);
const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
let services = 0;

/** A signer whose signature is the digest itself, so that a test sees what it was given. */
class EchoSigner implements DigestSigner {
  readonly publicKey = publicKey;
  readonly seen: string[] = [];
  async sign(digest: Uint8Array): Promise<Uint8Array> {
    this.seen.push(Buffer.from(digest).toString("hex"));
    if (digest[0] === 0xff) throw new Error("no");
    return digest;
  }
  async close(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

async function listen(signer: DigestSigner, burst = 30) {
  services += 1;
  const socketPath = scratch.file(`sign-${services}`);
  const rate = { burst, perSecond: 1 };
  const service = await SigningService.listen(signer, { socketPath, token, rate, clock: new FakeClock(0) });
  return Object.assign(service, { socketPath });
}

async function answer(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(part));
  socket.on("error", () => {}); // a connection that was cut off has given no answer
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(parts);
}

function ask(socketPath: string, ...parts: readonly Uint8Array[]): Promise<Buffer> {
  const socket = connect(socketPath);
  for (const part of parts) socket.write(part);
  return answer(socket);
}

const refused = Buffer.of(0);
const digest = Buffer.alloc(32, 7);

describe("the service that the engine asks", () => {
  test("signs a digest for whoever knows the token, however the request is cut", async () => {
    const signer = new EchoSigner();
    await using service = await listen(signer);
    const signed = Buffer.concat([Buffer.of(32), digest]);
    expect(await ask(service.socketPath, Buffer.from(token), digest)).toEqual(signed);
    const bytes = Array.from(Buffer.concat([Buffer.from(token), digest]), (byte) => Buffer.of(byte));
    expect(await ask(service.socketPath, ...bytes)).toEqual(signed);
    expect(signer.seen).toEqual([digest.toString("hex"), digest.toString("hex")]);
  });

  test("refuses another token, and asks the hardware for nothing then", async () => {
    const signer = new EchoSigner();
    await using service = await listen(signer);
    const almost = Buffer.from(token.replace(/.$/, "0"));
    expect(await ask(service.socketPath, almost, digest)).toEqual(refused);
    expect(signer.seen).toEqual([]);
  });

  test("refuses more than the rate allows", async () => {
    await using service = await listen(new EchoSigner(), 2);
    const once = () => ask(service.socketPath, Buffer.from(token), digest);
    expect([await once(), await once(), await once()].map(({ length }) => length)).toEqual([33, 33, 1]);
  });

  test("refuses when the hardware does, and goes on", async () => {
    await using service = await listen(new EchoSigner());
    expect(await ask(service.socketPath, Buffer.from(token), Buffer.alloc(32, 0xff))).toEqual(refused);
    expect(await ask(service.socketPath, Buffer.from(token), digest)).toHaveLength(33);
  });

  test("passes on nothing that is too long for a signature", async () => {
    const signer = new EchoSigner();
    signer.sign = async () => Buffer.alloc(256 + 64, 7);
    await using service = await listen(signer);
    expect(await ask(service.socketPath, Buffer.from(token), digest)).toEqual(refused);
  });

  test("signs nothing for a request that ends early", async () => {
    const signer = new EchoSigner();
    await using service = await listen(signer);
    const socket = connect(service.socketPath);
    socket.end(Buffer.from(token));
    await answer(socket);
    expect(signer.seen).toEqual([]);
  });

  test("gives up a signature that nobody waits for any more", async () => {
    const signer = new EchoSigner();
    const given = deferred<AbortSignal | undefined>();
    signer.sign = (_digest: Uint8Array, options?: { readonly signal?: AbortSignal | undefined }) => {
      given.resolve(options?.signal);
      return new Promise(() => {});
    };
    await using service = await listen(signer);
    const socket = connect(service.socketPath);
    socket.write(Buffer.concat([Buffer.from(token), digest]));
    const signal = await given.promise;
    expect(signal?.aborted).toBe(false);
    const aborted = once(signal ?? new EventTarget(), "abort");
    socket.destroy();
    await aborted;
  });

  test("hangs up on whoever waits when it closes", async () => {
    const signer = new EchoSigner();
    signer.sign = () => new Promise(() => {});
    const service = await listen(signer);
    const waiting = ask(service.socketPath, Buffer.from(token), digest);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([service.close(), service.close()]);
    expect(await waiting).toHaveLength(0);
    await expect(once(connect(service.socketPath), "connect")).rejects.toMatchObject({ code: "ENOENT" });
  });
});
