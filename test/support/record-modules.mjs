// Preloaded with --import: when the process ends, writes every module it has loaded, one path a line,
// to the file that LANDFALL_TEST_MODULES names.
import { appendFileSync, writeFileSync } from "node:fs";
import Module, { register } from "node:module";
import { MessageChannel } from "node:worker_threads";

const file = process.env.LANDFALL_TEST_MODULES;
writeFileSync(file, "");
const { port1, port2 } = new MessageChannel();
const hooks = `
  let port;
  export const initialize = (data) => { port = data.port; };
  export const load = async (url, context, next) => { port.postMessage(url); return next(url, context); };
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: { port: port2 }, transferList: [port2] });
port1.on("message", (url) => appendFileSync(file, `${url}\n`));
port1.unref();
process.on("exit", () =>
  appendFileSync(
    file,
    Object.keys(Module._cache)
      .map((path) => `${path}\n`)
      .join(""),
  ),
);
