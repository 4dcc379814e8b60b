/** Values for the places `{name}` in a text. */
export type TextValues = Readonly<Record<string, string | undefined>>;

/**
 * Puts values into a text; a place without a value stays visible, so that a test finds it. Values may come from the network:
 * they are made {@link printable}.
 */
export function fillText(template: string, values: TextValues): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => printable(values[name] ?? place));
}

/** The text with everything but printable ASCII escaped, so that it cannot steer the terminal that it is printed on. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (odd) => `\\u{${odd.codePointAt(0)?.toString(16)}}`);
}
