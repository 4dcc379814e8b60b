import { inSite, insideNetwork, outside, row, type StagedRow, unnoticed } from "./row.ts";

/** Worlds in which nothing is wrong, to hold the failures against. */
export const healthyRows: readonly StagedRow[] = [
  row("healthy-network", {
    cause: "Nothing: the device is in the virtual network, and everything is private",
    basis: "documented",
    stage: () => insideNetwork(),
    sees: {},
  }),
  row("healthy-site", {
    cause: "Nothing: the site forwards the public suffixes into the virtual network and has a line to it",
    basis: "documented",
    stage: () => inSite(),
    sees: {},
  }),
  row("healthy-internet", {
    cause: "Nothing: no private endpoint exists, and the device is on the internet",
    basis: "documented",
    stage: (scene, kind) => {
      scene.endpoint(kind).delete();
      return outside();
    },
    sees: { dns: ["public"] },
  }),
  row("healthy-outsider", {
    cause: "Nothing: private endpoints exist, the device is on the internet, and public network access is enabled",
    basis: "documented",
    stage: () => outside(),
    sees: unnoticed,
  }),
  row("healthy-private-only", {
    cause: "Nothing: public network access is disabled, and the device takes the private path",
    basis: "documented",
    stage: (scene, kind) => {
      scene.resource(kind).publicNetworkAccess = "disabled";
      return insideNetwork();
    },
    sees: {},
  }),
];
