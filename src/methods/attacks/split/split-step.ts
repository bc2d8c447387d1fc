import { lower } from "../../../engine/compile/lower.js";
import type { Engine, Feeds, Program } from "../../../engine/runtime/engine.js";
import type { ProjectedAscent } from "../attack.js";
import { lowered } from "../lowered.js";
import { type AttackedModel, fittingTransform, gradientGraph, perturbedRoles, updateGraph } from "../step-graph.js";
import { DrawByDraw } from "./draw-by-draw.js";
import { PartByPart } from "./part-by-part.js";
import { type Handles, type PassOptions, pick, type Runnable } from "./runnable.js";
import { TileByTile } from "./tile-by-tile.js";

/** Whether the gradient at a model is a sum of several runs of one program. */
export const isSplit = ({ transform, tiled, batch }: AttackedModel): boolean =>
  transform !== undefined || tiled !== undefined || batch !== undefined;

/** A program for the model's predictor as one for the images that are attacked. */
export function overImages(engine: Engine, program: Runnable, { tiled, batch }: AttackedModel): Runnable {
  const parts = batch === undefined ? program : new PartByPart(engine, program, batch);
  return tiled ? new TileByTile(engine, parts, tiled) : parts;
}

/** A step in two: the gradient, put together from several runs, and the update from it to the next iterates. */
export class SplitStep implements Runnable {
  readonly inputs: Runnable["inputs"] = [];

  private constructor(
    private readonly gradient: Runnable,
    private readonly update: Program,
    private readonly roles: readonly string[],
  ) {}

  static async compile(engine: Engine, attack: ProjectedAscent, model: AttackedModel): Promise<SplitStep> {
    const transform = fittingTransform(model);
    const one = await engine.compile(lowered(gradientGraph(attack, model), engine, model));
    const images = overImages(engine, one, model);
    const gradient = transform ? await DrawByDraw.compile(engine, model, transform, images) : images;
    const update = await engine.compile(lower(updateGraph(attack, model), engine.info.provider));
    return new SplitStep(gradient, update, perturbedRoles(model));
  }

  async run(feeds: Feeds, { keep = [], only = [], draw }: PassOptions = {}): Promise<Handles> {
    const slopes = this.roles.map((role) => `gradient.${role}`);
    const wanted = [...slopes, "objective", "loss", "remaining", ...(only.includes("weight") ? ["weight"] : [])];
    const found = await this.gradient.run(pick(feeds, this.gradient), { only: wanted, ...(draw && { draw }) });
    const known = { ...feeds, ...found };
    const rest = await this.update.run(pick(known, this.update), { keep, only: only.filter((name) => !(name in found)) });
    return { ...found, ...rest };
  }

  dispose(): void {
    this.gradient.dispose();
    this.update.dispose();
  }
}
