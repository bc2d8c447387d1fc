import { livingGradients } from "../../../engine/autodiff/gradients.js";
import { lower } from "../../../engine/compile/lower.js";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import { add, div, mul, reduceSum } from "../../../engine/operators/index.js";
import type { Engine, Feeds, Program } from "../../../engine/runtime/engine.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { type NoiseStem, noiseInputs, noiseName } from "../ascent/looks.js";
import { type AttackedModel, imagesOf, perturbedRoles } from "../attacked-model.js";
import type { Transform } from "../transforms/transform.js";
import { type Handles, type PassOptions, pick, type Runnable, release, Sums } from "./runnable.js";

/**
 * The gradient averaged over random transforms of the images, one draw after the other: the images are transformed, the gradient program (for whole
 * images, tiles, parts of a batch: it does not know) looks at what comes of it, and its gradient is brought back through the transform and added up. So
 * neither memory nor the time to compile depends on the number of draws. The gradient program is not its own: others may share it.
 */
export class DrawByDraw implements Runnable {
  private constructor(
    readonly inputs: Runnable["inputs"],
    private readonly model: AttackedModel,
    private readonly how: Pick<Transform, "samples" | "numbers"> & { readonly stem: NoiseStem },
    private readonly transform: Program,
    private readonly gradient: Runnable,
    private readonly back: Program,
  ) {}

  /** @param stem what the noise is asked for as. */
  static async compile(
    engine: Engine,
    model: AttackedModel,
    transform: Transform,
    gradient: Runnable,
    stem: NoiseStem = "noise",
  ): Promise<DrawByDraw> {
    const compile = (graph: Graph) => engine.compile(lower(graph, engine.info.provider));
    const [there, back] = [await compile(transformGraph(model, transform)), await compile(pullbackGraph(model, transform))];
    const more = there.inputs.filter(({ name }) => name === "epsilon");
    return new DrawByDraw([...gradient.inputs, ...more], model, { ...transform, stem }, there, gradient, back);
  }

  async run(feeds: Feeds, { only = [], draw }: PassOptions = {}): Promise<Handles> {
    const roles = perturbedRoles(this.model);
    const images = imagesOf(this.model);
    const slopes = roles.map((role) => `gradient.${role}`);
    let sums: Handles = Object.fromEntries(roles.map((role) => [`sum.${role}`, tensor("float32", images[role]!)]));
    const means = new Sums();
    const first: Handles = {};
    const { samples, numbers, stem } = this.how;
    for (let k = 0; k < samples; k++) {
      const noise = {
        ...draw!(k, stem),
        ...Object.fromEntries(
          Object.entries(numbers?.(k) ?? {}).map(([name, v]) => [`draw.${name}`, tensor("float32", [], [v])]),
        ),
      };
      const keep = this.transform.outputs.map(({ name }) => name);
      const seen = await this.transform.run({ ...pick(feeds, this.transform), ...pick(noise, this.transform) }, { keep });
      const shown = Object.fromEntries(keep.map((name) => [name.slice("seen.".length), seen[name]!]));
      const found = await this.gradient.run(pick({ ...feeds, ...shown }, this.gradient), { only, keep: slopes });
      const given = { ...feeds, ...noise, ...found, ...sums };
      // the last sums are what is asked for, in memory like all other outputs
      const kept = k + 1 < samples ? roles.map((role) => `next_sum.${role}`) : [];
      const next = await this.back.run(pick(given, this.back), { keep: kept });
      release([...Object.values(seen), ...slopes.map((name) => found[name]), ...Object.values(sums)]);
      sums = Object.fromEntries(roles.map((role) => [`sum.${role}`, next[`next_sum.${role}`]!]));
      for (const [name, t] of Object.entries(found)) {
        if (slopes.includes(name)) continue;
        if (t.shape.length === 1) means.add(name, t as Tensor, 1 / samples);
        else first[name] ??= t;
      }
    }
    return {
      ...first,
      ...means.values(),
      ...Object.fromEntries(roles.map((role) => [`gradient.${role}`, sums[`sum.${role}`]!])),
    };
  }

  dispose(): void {
    this.transform.dispose();
    this.back.dispose();
  }
}

/** One draw: inputs `x.<role>` for images that may change, `<role>` for others, `noise[.<role>]`, `draw.<number>`, `epsilon`; outputs `seen.<input>`. */
function transformGraph(model: AttackedModel, transform: Transform): Graph {
  const graph = new Graph();
  const apply = oneDraw(graph, transform);
  const perturbed = perturbedRoles(model);
  for (const [role, shape] of Object.entries(imagesOf(model))) {
    const name = perturbed.includes(role) ? `x.${role}` : role;
    const image = graph.input(name, "float32", shape);
    graph.output(`seen.${name}`, apply(role, image));
  }
  return graph;
}

/** A gradient brought back through one draw: inputs as there, with `gradient.<role>` and `sum.<role>`; outputs `next_sum.<role>`. */
function pullbackGraph(model: AttackedModel, transform: Transform): Graph {
  const graph = new Graph();
  const apply = oneDraw(graph, transform);
  for (const role of perturbedRoles(model)) {
    const shape = imagesOf(model)[role]!;
    const [x, cotangent, sum] = ["x", "gradient", "sum"].map((name) => graph.input(`${name}.${role}`, "float32", shape));
    const [slope] = livingGradients("loss", reduceSum(mul(apply(role, x!), cotangent!)), [x!]);
    graph.output(`next_sum.${role}`, add(sum!, div(slope!, transform.samples)));
  }
  return graph;
}

/** The transform as it is in a program that sees one draw at a time. */
function oneDraw(graph: Graph, transform: Transform): (role: string, image: Value) => Value {
  const noise = noiseInputs(graph, transform, (role) => noiseName(transform, undefined, role));
  const number = (name: string) => {
    const input = name === "epsilon" ? name : `draw.${name}`;
    return graph.inputs.find((v) => v.name === input) ?? graph.input(input, "float32", []);
  };
  return (role, image) => transform.apply(image, noise(role, image.shape), number);
}
