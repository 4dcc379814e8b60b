import type { Clock } from "../../../clock.ts";
import type { Upstreams } from "../network/address-book.ts";
import type { Place } from "../place.ts";
import { rejected } from "../resources/rejected.ts";
import type { ResourceKind } from "../resources/service-names.ts";
import { PrivateLinkWorld } from "../world.ts";
import { stagedRows } from "./catalogue.ts";
import type { Sight, StagedRow } from "./row.ts";
import { Scene, type SceneNames, type SceneStandpoint } from "./scene.ts";

/** A row in its scene, as a model: where the device stands and what it is to see. */
export interface StagedScene {
  readonly row: StagedRow;
  /** The kind of resource that it was staged for. */
  readonly kind: ResourceKind;
  readonly scene: Scene;
  readonly standpoint: SceneStandpoint;
  readonly sights: readonly Sight[];
}

/** How a row is staged. */
export interface StageOptions {
  /** Default: the first of the row's kinds. */
  readonly kind?: ResourceKind | undefined;
  readonly names?: SceneNames | undefined;
}

/** Stages a row as a model. Throws `emulator.rejected` for a name that is no row, or a kind that it cannot be staged for. */
export function stage(id: string, { kind, names }: StageOptions = {}): StagedScene {
  const row = stagedRows.find((each) => each.id === id);
  if (row === undefined) throw rejected(`no row of the catalogue is called "${id}"`);
  const chosen = row.kinds.find((each) => kind === undefined || each === kind);
  if (chosen === undefined)
    throw rejected(`"${id}" cannot be staged for ${kind}; expected one of ${row.kinds.join(", ")}`);
  const scene = new Scene(names);
  const standpoint = row.stage(scene, chosen);
  return { row, kind: chosen, scene, standpoint, sights: row.sights(scene, chosen) };
}

/** A staged row with its name servers and ports open. Closing the world closes all. */
export interface OpenStage extends StagedScene {
  readonly world: PrivateLinkWorld;
  readonly place: Place;
}

/** Stages a row and opens it. Rejects with `emulator.*` errors. */
export async function openStage(
  id: string,
  {
    upstreams,
    clock,
    ...options
  }: StageOptions & { readonly upstreams: Upstreams; readonly clock?: Clock | undefined },
): Promise<OpenStage> {
  const staged = stage(id, options);
  const world = new PrivateLinkWorld({ upstreams, clock, estate: staged.scene.estate });
  const place = await world.place(staged.standpoint.kind, staged.standpoint.settings);
  return { ...staged, world, place };
}
