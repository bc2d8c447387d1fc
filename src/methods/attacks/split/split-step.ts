import { lower } from "../../../engine/compile/lower.js";
import type { Graph } from "../../../engine/graph/graph.js";
import type { Engine, Feeds, Program } from "../../../engine/runtime/engine.js";
import type { ProjectedAscent } from "../ascent/ascent.js";
import { ruleOf } from "../ascent/descent/rule-of.js";
import { looks } from "../ascent/looks.js";
import { gradientGraph, lookGraph, updateGraph } from "../ascent/step-graph.js";
import { type AttackedModel, perturbedRoles } from "../attacked-model.js";
import { lowered } from "../lowered.js";
import { DrawByDraw } from "./draw-by-draw.js";
import { PartByPart } from "./part-by-part.js";
import { type Handles, type PassOptions, pick, type Runnable, release } from "./runnable.js";
import { TileByTile } from "./tile-by-tile.js";

/** Whether the gradient of an attack's step at a model is a sum of several runs of one program. */
export function isSplit(attack: ProjectedAscent, model: AttackedModel): boolean {
  const { seen, around } = looks(attack, model);
  return [seen, around, model.tiled, model.batch].some((term) => term !== undefined);
}

/** A program for the model's predictor as one for the images that are attacked. */
export function overImages(engine: Engine, program: Runnable, { tiled, batch }: AttackedModel): Runnable {
  const parts = batch === undefined ? program : new PartByPart(engine, program, batch);
  return tiled ? new TileByTile(engine, parts, tiled) : parts;
}

interface Programs {
  /** The gradient at the images, as the model sees them. */
  readonly images: Runnable;
  /** The same over all views of them: what a step follows. */
  readonly gradient: Runnable;
  /** The same over the neighbors, where the rule asks for them. */
  readonly around: Runnable | undefined;
  /** Where the gradient is taken, where that is not the iterate. */
  readonly look: Program | undefined;
  readonly update: Program;
}

/** A step in two: the gradient, put together from several runs, and the update from it to the next iterates. */
export class SplitStep implements Runnable {
  readonly inputs: Runnable["inputs"] = [];

  private constructor(
    private readonly programs: Programs,
    private readonly roles: readonly string[],
  ) {}

  static async compile(engine: Engine, attack: ProjectedAscent, model: AttackedModel): Promise<SplitStep> {
    const { seen, around } = looks(attack, model);
    const compile = (graph: Graph) => engine.compile(lower(graph, engine.info.provider));
    const one = await engine.compile(lowered(gradientGraph(attack, model), engine, model));
    const images = overImages(engine, one, model);
    const programs: Programs = {
      images,
      gradient: seen ? await DrawByDraw.compile(engine, model, seen, images) : images,
      around: around && (await DrawByDraw.compile(engine, model, around, images, "around")),
      look: ruleOf(attack, model.task).lookAt && (await compile(lookGraph(attack, model))),
      update: await compile(updateGraph(attack, model)),
    };
    return new SplitStep(programs, perturbedRoles(model));
  }

  async run(feeds: Feeds, { keep = [], only = [], draw }: PassOptions = {}): Promise<Handles> {
    const { gradient, around, look, update } = this.programs;
    const slopes = this.roles.map((role) => `gradient.${role}`);
    const wanted = [...slopes, "objective", "loss", "remaining", ...(only.includes("weight") ? ["weight"] : [])];
    const drawing = draw && { draw };
    const places = look ? await look.run(pick(feeds, look), { keep: look.outputs.map(({ name }) => name) }) : {};
    const at = Object.fromEntries(Object.entries(places).map(([name, t]) => [name.replace("at.", "x."), t]));
    const found = await gradient.run(pick({ ...feeds, ...at }, gradient), { only: wanted, ...drawing });
    release(Object.values(at));
    const near = around ? await around.run(pick(feeds, around), { only: slopes, ...drawing }) : {};
    const known = {
      ...feeds,
      ...found,
      ...Object.fromEntries(this.roles.map((role) => [`around.${role}`, near[`gradient.${role}`]!])),
    };
    const rest = await update.run(pick(known, update), { keep, only: only.filter((name) => !(name in found)) });
    return { ...found, ...rest };
  }

  dispose(): void {
    // Where there is but one view, the gradient is the program of the images itself.
    for (const program of new Set(Object.values(this.programs) as (Runnable | Program | undefined)[])) program?.dispose();
  }
}
