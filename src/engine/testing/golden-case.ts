import { vectorJacobianProduct } from "../autodiff/gradients.js";
import { specialize } from "../compile/specialize.js";
import { embed } from "../graph/embed.js";
import { Graph, type Value } from "../graph/graph.js";
import { parseModel } from "../onnx/read.js";
import { parseSafetensors } from "../tensor/safetensors.js";
import { isFloat, type Tensor, toNumbers } from "../tensor/tensor.js";

/** One entry of `manifest.json` of the golden gradients; the README beside the data explains the fields. */
export interface GoldenCase {
  readonly name: string;
  readonly kind: "op" | "model";
  readonly ops: readonly string[];
  readonly inputs: readonly { readonly name: string }[];
  readonly outputs: readonly { readonly name: string; readonly dtype: string }[];
  /** Names of the stored gradients: `d.<input>` or `d.<initializer>`. */
  readonly gradients: readonly string[];
  readonly float32NoiseFloor: Readonly<Record<string, { readonly relL2: number }>>;
  readonly "sensitivity1e-6": number;
  readonly note: string;
}

/** The bytes of a case's two files. */
export interface GoldenFiles {
  readonly onnx: Uint8Array;
  readonly safetensors: Uint8Array;
}

/** How far a computed tensor lies from the stored one. */
export interface Deviation {
  readonly tensor: string;
  /** Relative L2 error; of an all-zero reference, the L2 norm of what was computed. */
  readonly error: number;
  readonly tolerance: number;
}

/** Computes outputs and gradients of a case in one graph, with `run`, and compares them with the stored float64 results. */
export async function compareWithGolden(
  golden: GoldenCase,
  { onnx, safetensors }: GoldenFiles,
  run: (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>,
): Promise<readonly Deviation[]> {
  const stored = parseSafetensors(safetensors).tensors;
  const shapes = Object.fromEntries(golden.inputs.map(({ name }) => [name, stored.get(name)!.shape]));
  const model = await specialize(parseModel(onnx), shapes, (constants) => run(constants, {}), { keep: "weights" });

  const graph = new Graph();
  const feeds: Record<string, Tensor> = {};
  const inputs: Record<string, Value> = {};
  for (const { name } of golden.inputs) {
    const t = stored.get(name)!;
    inputs[name] = graph.input(name, t.type, t.shape);
    feeds[name] = t;
  }
  const { outputs, values } = embed(graph, model, inputs);
  const seeds = golden.outputs.flatMap(({ name }) => {
    const of = outputs[name]!;
    graph.output(`y.${name}`, of);
    const v = stored.get(`v.${name}`);
    if (!v || !isFloat(of.type)) return [];
    feeds[`v.${name}`] = v;
    return [{ of, cotangent: graph.input(`v.${name}`, v.type, v.shape) }];
  });
  const names = golden.gradients.map((d) => d.slice("d.".length));
  vectorJacobianProduct(
    seeds,
    names.map((n) => values.get(n)!),
  ).forEach((g, i) => {
    graph.output(golden.gradients[i]!, g);
  });
  const results = await run(graph, feeds);

  const compared = [...golden.outputs.map(({ name }) => [name, `y.${name}`]), ...golden.gradients.map((d) => [d, d])];
  return compared.map(([name, output]) => {
    const reference = toNumbers(stored.get(name!)!);
    const zero = reference.every((r) => r === 0);
    return {
      tensor: name!,
      error: relativeError(toNumbers(results[output!]!), reference),
      tolerance: zero ? 0 : toleranceOf(golden, name!),
    };
  });
}

/** The README's rule: 20 times the error of PyTorch's own float32 run, at least 1e-5; at kinks, what a tiny move of the input changes. */
function toleranceOf(golden: GoldenCase, name: string): number {
  const sensitivity = golden["sensitivity1e-6"];
  return Math.max(20 * (golden.float32NoiseFloor[name]?.relL2 ?? 0), 1e-5, sensitivity > 1e-4 ? sensitivity : 0);
}

function relativeError(computed: readonly number[], reference: readonly number[]): number {
  let difference = 0;
  let size = 0;
  reference.forEach((r, i) => {
    difference += (computed[i]! - r) ** 2;
    size += r ** 2;
  });
  return computed.length !== reference.length
    ? Number.POSITIVE_INFINITY
    : Math.sqrt(difference) / (size > 0 ? Math.sqrt(size) : 1);
}
