/**
 * Runs a program whose own /etc/hosts leads real names to its own loopback: stands on the given ports there, hands
 * every connection on to a Unix socket outside, and ends with the program.
 *
 * Arguments: a JSON object of port → path of the socket, then the program with its arguments.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";

const [doors, command, ...args] = process.argv.slice(2);

for (const [port, path] of Object.entries(JSON.parse(doors))) {
  const server = createServer((inside) => {
    const outside = connect(path);
    inside.pipe(outside).pipe(inside);
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ]) {
      one.on("error", () => other.destroy());
      one.once("close", () => other.destroy());
    }
  });
  server.listen(Number(port), "127.0.0.1");
  await once(server, "listening");
}

const program = spawn(command, args, { stdio: "inherit" });
const [code] = await once(program, "exit");
process.exit(code ?? 1);
