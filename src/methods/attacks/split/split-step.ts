import { lower } from "../../../engine/compile/lower.js";
import type { Engine, Feeds, Program } from "../../../engine/runtime/engine.js";
import type { ProjectedAscent } from "../attack.js";
import { lowered } from "../lowered.js";
import { type AttackSite, advanceGraph, fittingTransform, gradientGraph, perturbedRoles } from "../step-graph.js";
import { DrawByDraw } from "./draw-by-draw.js";
import { PartByPart } from "./part-by-part.js";
import { type Handles, type PassOptions, pick, type Runnable } from "./runnable.js";
import { TileByTile } from "./tile-by-tile.js";

/** Whether the gradient at a site is a sum of several runs of one program. */
export const isSplit = ({ transform, tiled, batch }: AttackSite): boolean =>
  transform !== undefined || tiled !== undefined || batch !== undefined;

/** A program for the site's predictor as one for the images that are attacked. */
export function overImages(engine: Engine, program: Runnable, { tiled, batch }: AttackSite): Runnable {
  const parts = batch === undefined ? program : new PartByPart(engine, program, batch);
  return tiled ? new TileByTile(engine, parts, tiled) : parts;
}

/** A step in two: the gradient, put together from several runs, and the advance from it to the next iterates. */
export class SplitStep implements Runnable {
  readonly inputs: Runnable["inputs"] = [];

  private constructor(
    private readonly gradient: Runnable,
    private readonly advance: Program,
    private readonly roles: readonly string[],
  ) {}

  static async compile(engine: Engine, attack: ProjectedAscent, site: AttackSite): Promise<SplitStep> {
    const transform = fittingTransform(site);
    const one = await engine.compile(lowered(gradientGraph(attack, site), engine, site));
    const images = overImages(engine, one, site);
    const gradient = transform ? await DrawByDraw.compile(engine, site, transform, images) : images;
    const advance = await engine.compile(lower(advanceGraph(attack, site), engine.info.provider));
    return new SplitStep(gradient, advance, perturbedRoles(site));
  }

  async run(feeds: Feeds, { keep = [], only = [], draw }: PassOptions = {}): Promise<Handles> {
    const slopes = this.roles.map((role) => `gradient.${role}`);
    const wanted = [...slopes, "objective", "loss", "remaining", ...(only.includes("weight") ? ["weight"] : [])];
    const found = await this.gradient.run(pick(feeds, this.gradient), { only: wanted, ...(draw && { draw }) });
    const known = { ...feeds, ...found };
    const rest = await this.advance.run(pick(known, this.advance), { keep, only: only.filter((name) => !(name in found)) });
    return { ...found, ...rest };
  }

  dispose(): void {
    this.gradient.dispose();
    this.advance.dispose();
  }
}
