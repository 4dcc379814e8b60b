/** The body of a message as a line of JSON shows it: JSON as JSON, other text as text, and everything else in base64. */
export function bodyOf(payload: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  } catch {
    return { base64: Buffer.from(payload).toString("base64") };
  }
}
