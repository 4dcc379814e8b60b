import { healthyRows } from "./healthy.ts";
import { nameFailures } from "./name-failures.ts";
import { approvalFailures, packetFailures } from "./path-failures.ts";
import { refusalFailures } from "./refusal-failures.ts";
import { resolverFailures } from "./resolver-failures.ts";
import type { StagedRow } from "./row.ts";

/** Every known failure of a private path that can be staged, each with what a device then sees. */
export const failureCatalogue: readonly StagedRow[] = [
  ...nameFailures,
  ...approvalFailures,
  ...packetFailures,
  ...refusalFailures,
];

/** Every row that can be staged: healthy worlds, failures of a private path, and what name servers can do to a device. */
export const stagedRows: readonly StagedRow[] = [...healthyRows, ...failureCatalogue, ...resolverFailures];
