/**
 * Runs `work` while the environment has these variables, and puts back what was there before: OpenSSL takes the folder of
 * its engines, and engines their settings, from nowhere else that Node would let us reach.
 *
 * `work` runs to its end at once, so nobody else sees the variables. In a worker thread OpenSSL does not see them either.
 */
export function withEnvironment<T>(variables: Readonly<Record<string, string>>, work: () => T): T {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  try {
    Object.assign(process.env, variables);
    return work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
