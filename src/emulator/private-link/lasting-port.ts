import { randomInt } from "node:crypto";

/**
 * Below the ports that systems hand out by themselves (from 32 768 on Linux, from 49 152 elsewhere) and above those that
 * services are known by.
 */
const range = { first: 20_000, count: 10_000 };

/** So many ports in a row that cannot be had tell of another trouble than that each has its user. */
const mostAttempts = 50;

/**
 * Finds a port that its user can let go of for a moment and have again, as one must who changes what a port does: were it one
 * that the system hands out, any program's next connection could take it meanwhile.
 * @param use takes the port, or rejects when it is not to be had. What it rejects with in the end, this rejects with
 */
export async function findLastingPort(use: (port: number) => Promise<void>): Promise<void> {
  const start = randomInt(range.count);
  for (let attempt = 1; ; attempt++) {
    try {
      await use(range.first + ((start + attempt) % range.count));
      return;
    } catch (error) {
      if (attempt === mostAttempts) throw error;
    }
  }
}
