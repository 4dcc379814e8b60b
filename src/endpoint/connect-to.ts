/** Dial elsewhere, verify the original name; the form is that of curl's `--connect-to`. */
export interface ConnectToRule {
  /** Absent: any host. */
  readonly fromHost?: string;
  /** Absent: any port. */
  readonly fromPort?: number;
  /** Absent: the host stays. */
  readonly toHost?: string;
  /** Absent: the port stays. */
  readonly toPort?: number;
  /** The rule as written. */
  readonly text: string;
}

/** Where to dial instead, and the rule that says so. */
export interface Redirection {
  readonly host: string;
  readonly port: number;
  readonly rule: ConnectToRule;
}

/** The first rule that matches decides; `undefined` when none does. Host names match without regard to case. */
export function redirect(rules: readonly ConnectToRule[], host: string, port: number): Redirection | undefined {
  const rule = rules.find(
    ({ fromHost, fromPort }) =>
      (fromHost === undefined || fromHost.toLowerCase() === host.toLowerCase()) &&
      (fromPort === undefined || fromPort === port),
  );
  return rule && { host: rule.toHost ?? host, port: rule.toPort ?? port, rule };
}
