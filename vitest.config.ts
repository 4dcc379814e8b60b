import { defineConfig } from "vitest/config";

const setupFiles = ["test/support/loopback-only.ts"];

/**
 * Files share a process, which saves more than half of the time; none of them changes anything that another could see.
 * The time-out is for hangs, not for slow machines.
 */
const quick = { isolate: false, testTimeout: 30_000, hookTimeout: 30_000 };

/** One project per rung, so that `--project unit` runs the quick ones alone. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "architecture", include: ["test/architecture/**/*.test.ts"], setupFiles } },
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], setupFiles, ...quick } },
      { test: { name: "contract", include: ["test/contract/**/*.test.ts"], setupFiles, ...quick } },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          setupFiles,
          execArgv: ["--import", "./test/support/typescript-threads.mjs"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          setupFiles,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
