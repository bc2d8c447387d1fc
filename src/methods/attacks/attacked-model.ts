import type { Predictor } from "../../vision/predictor.js";
import type { Task } from "../../vision/tasks/index.js";
import type { Tiling } from "../../vision/tiling.js";
import { AttackError } from "./error.js";
import type { Transform } from "./transforms/transform.js";

/** Away from the target that is given (ground truth), or towards it (what the attacker wants to see). */
export type Goal = "untargeted" | "targeted";

/** A model under attack, and what of its images may change: what an attack is compiled for. */
export interface AttackedModel {
  readonly predictor: Predictor;
  readonly task: Task;
  /** Whether what is attacked is driven away from the target or towards it; default away. */
  readonly goal?: Goal;
  /** Labels without ground truth; default none. */
  readonly ignore?: readonly number[];
  /** Whether a validity mask comes with each target. */
  readonly valid?: boolean;
  /** Whether a region mask limits where pixels may change (input `region`, [B, 1, H, W], 1 = may change). */
  readonly region?: boolean;
  /** Error in the task's unit at which a pixel counts as wrong; default the task's. */
  readonly scale?: number;
  /** Roles of the images that may be perturbed; default all. */
  readonly perturb?: readonly string[];
  /** Expectation over transformation: the gradient is averaged over `samples` random transforms of the images (Athalye et al. 2018). */
  readonly transform?: Transform;
  /** Where the predictor is for one tile of each image: how the images are cut. What is compiled then goes tile by tile (`TileByTile`). */
  readonly tiled?: TiledImages;
  /** Where the predictor takes another number of images at a time than a batch has: how many those are. A batch then goes part by part (`PartByPart`). */
  readonly batch?: number;
  /** Bytes that inner values of a step may take: what does not fit is computed again (`recompute`); default: all is kept. */
  readonly memory?: number;
}

export interface TiledImages {
  readonly tiling: Tiling;
  /** Size of the images themselves. */
  readonly height: number;
  readonly width: number;
}

/** Shapes of the images that are attacked, by role: those of the predictor, or of the batch and the images of which it sees parts and tiles. */
export function imagesOf({ predictor, tiled, batch }: Pick<AttackedModel, "predictor" | "tiled" | "batch">): Predictor["images"] {
  return Object.fromEntries(
    Object.entries(predictor.images).map(([role, [b, c, h, w]]) => [
      role,
      [batch ?? b!, c!, tiled?.height ?? h!, tiled?.width ?? w!],
    ]),
  );
}

/** Roles of the images that may be perturbed. @throws AttackError where there is no such image. */
export function perturbedRoles({ predictor, perturb }: AttackedModel): string[] {
  const roles = Object.keys(predictor.images);
  for (const role of perturb ?? [])
    if (!roles.includes(role))
      throw new AttackError(`There is no image "${role}" to perturb; the model takes ${roles.join(", ")}.`);
  return roles.filter((r) => !perturb || perturb.includes(r));
}
