import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { JsonLine } from "./landfall-process.ts";

/** The fields of one event, as `docs/events.md` has them. */
export interface DocumentedEvent {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The events that `docs/events.md` describes, by name. */
export function documentedEvents(): ReadonlyMap<string, DocumentedEvent> {
  const page = readFileSync(fileURLToPath(new URL("../../docs/events.md", import.meta.url)), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z-]+)` *\| ([^|]*) \|/gm)];
  return new Map(
    rows.map(([, name = "", cell = ""]) => {
      const fields = [...cell.matchAll(/`(\w+\??)`/g)].map(([, field = ""]) => field);
      const required = fields.filter((field) => !field.endsWith("?"));
      const optional = fields.filter((field) => field.endsWith("?")).map((field) => field.slice(0, -1));
      return [name, { required, optional }];
    }),
  );
}

/** What a line has that the page does not tell, or lacks that the page tells. */
export function undocumented({ schema, time, event, ...fields }: JsonLine): string[] {
  const documented = documentedEvents().get(String(event));
  if (schema !== "landfall.event/1" || typeof time !== "string" || documented === undefined) return [`event ${event}`];
  const { required, optional } = documented;
  const missing = required.filter((field) => !(field in fields)).map((field) => `${event} lacks ${field}`);
  const unknown = Object.keys(fields).filter((field) => ![...required, ...optional].includes(field));
  return [...missing, ...unknown.map((field) => `${event} has ${field}`)];
}
