/** Values for the places `{name}` in a text. */
export type TextValues = Readonly<Record<string, string | undefined>>;

/** Puts values into a text; a place without a value stays visible, so that a test finds it. */
export function fillText(template: string, values: TextValues): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}
