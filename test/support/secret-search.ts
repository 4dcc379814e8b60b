/** The ways in which a secret could be written down, each at least so long that it cannot be there by chance. */
export function formsOf(secret: string): readonly string[] {
  const bytes = [Buffer.from(secret)];
  // A key is base64 already; what it stands for must not show up either.
  if (/^[A-Za-z0-9+/]{16,}={0,2}$/.test(secret)) bytes.push(Buffer.from(secret, "base64"));
  const encoded = bytes.flatMap((each) => [
    each.toString("hex"),
    each.toString("hex").toUpperCase(),
    withoutPadding(each.toString("base64")),
    each.toString("base64url"),
  ]);
  const written = [secret, encodeURIComponent(secret), encodeURI(secret), JSON.stringify(secret).slice(1, -1)];
  return [...new Set([...written.map(withoutPadding), ...encoded])].filter((form) => form.length >= 6);
}

/** The end of base64 may be written in several ways. */
function withoutPadding(text: string): string {
  return text.replace(/(=|%3D)+$/i, "");
}

/** Which of `secrets` (by name) stand in `text`, in whatever form, each with a little of what is around it. */
export function secretsIn(text: string, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    formsOf(secret)
      .filter((form) => text.includes(form))
      .map((form) => `${name} as ${form}: …${text.slice(Math.max(0, text.indexOf(form) - 60), text.indexOf(form))}`),
  );
}
