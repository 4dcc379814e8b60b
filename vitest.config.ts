import { defineConfig } from "vitest/config";

/** For every rung. A time-out is for hangs, not for slow machines; the usual one of `expect.poll` is a second. */
const common = { setupFiles: ["test/support/loopback-only.ts"], expect: { poll: { timeout: 30_000 } } };

/**
 * Files share a process, which saves more than half of the time; none of them changes anything that another could see.
 */
const quick = { isolate: false, testTimeout: 30_000, hookTimeout: 30_000 };

/** One project per rung, so that `--project unit` runs the quick ones alone. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "architecture", include: ["test/architecture/**/*.test.ts"], ...common } },
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], ...common, ...quick } },
      { test: { name: "contract", include: ["test/contract/**/*.test.ts"], ...common, ...quick } },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          ...common,
          execArgv: ["--import", "./test/support/typescript-threads.mjs"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          ...common,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
