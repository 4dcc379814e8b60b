import type { ScriptedAnswer } from "./fault.ts";

/** The body of a scripted answer as text; where none was scripted, that of an error of the services. */
export function scriptedBody({
  status,
  body = { errorCode: status * 1000 + 1, message: "As scripted." },
}: ScriptedAnswer): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

/** A body that breaks off in the middle. */
export function malformed(body: string): string {
  return body.slice(0, body.length / 2);
}
