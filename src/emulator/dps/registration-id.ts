/**
 * Whether DPS takes `text` as a registration id: 1 to 128 letters, digits and `- . _ :`, the last one a letter, a digit
 * or a hyphen.
 */
export function isRegistrationId(text: string): boolean {
  return /^[A-Za-z0-9\-._:]{0,127}[A-Za-z0-9-]$/.test(text);
}
