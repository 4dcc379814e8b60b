/**
 * One handshake with the engine `landfall`, in a process that gets signals while it waits for the signature. A thread of it
 * is the signer: once asked it sends the signals, and then refuses. Prints what the handshake came to.
 *
 * Its argument is JSON: `port` of a server on loopback that asks for a certificate, its `ca`, the `cert` to show it and the
 * public key `spki` of that, base64, and the `socket` to listen at. `OPENSSL_ENGINES` says where the engine is.
 */
import { createServer } from "node:net";
import { connect } from "node:tls";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const token = "0".repeat(64);
const refusal = Buffer.of(0);

if (isMainThread) {
  const { spki, socket, ...server } = JSON.parse(process.argv[2]);
  // A signal that nobody listens to, and nobody dies of, interrupts nothing.
  process.on("SIGUSR2", () => {});
  const signer = new Worker(new URL(import.meta.url), { workerData: socket });
  signer.once("message", () => {
    const key = { privateKeyEngine: "landfall", privateKeyIdentifier: `${token}:${spki}:${socket}` };
    connect({ ...server, ...key, host: "127.0.0.1", servername: "peer.test" }).once("error", (error) => {
      process.stdout.write(error.message, () => process.exit());
    });
  });
} else {
  const listener = createServer((connection) => {
    connection.once("data", () => interrupt(200, () => connection.end(refusal)));
  });
  listener.listen(workerData, () => parentPort.postMessage("listening"));
}

/** Each signal may arrive before the next is sent: the main thread does nothing but wait. */
function interrupt(left, then) {
  if (left === 0) return then();
  process.kill(process.pid, "SIGUSR2");
  setImmediate(interrupt, left - 1, then);
}
