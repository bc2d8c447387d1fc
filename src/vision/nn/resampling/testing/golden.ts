import { vectorJacobianProduct } from "../../../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../../../engine/graph/graph.js";
import { conv, pixelShuffle } from "../../../../engine/operators/index.js";
import { type Tensor, toNumbers } from "../../../../engine/tensor/tensor.js";
import { asapPool, type BoaConvention, boaDown, flcPool, freqAvgUp, lctc, splitUp } from "../index.js";

/** An entry of the reference data's manifest. */
export interface ResamplingCase {
  readonly file: string;
  readonly operator: string;
  readonly convention?: string;
  readonly padding?: "constant" | "reflect";
  readonly groups?: number;
}

/** Largest differences, relative to the largest magnitude of the reference, of output and all gradients of a case. */
export const compareResampling = (entry: ResamplingCase, stored: ReadonlyMap<string, Tensor>, run: RunGraph) =>
  compareWith((inputs) => resamplingOf(entry, inputs), stored, run);

export type RunGraph = (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>;

/** The same for any operator: `stored` has its inputs by name, "output", "cotangent" and "grad.<input>". */
export async function compareWith(
  operator: (inputs: ReadonlyMap<string, Value>) => Value,
  stored: ReadonlyMap<string, Tensor>,
  run: RunGraph,
): Promise<readonly { readonly tensor: string; readonly error: number }[]> {
  const graph = new Graph();
  const given = [...stored.keys()].filter((name) => stored.has(`grad.${name}`));
  const inputs = new Map(given.map((name) => [name, graph.input(name, "float32", stored.get(name)!.shape)]));
  const y = operator(inputs);
  const cotangent = graph.input("cotangent", "float32", stored.get("cotangent")!.shape);
  graph.output("output", y);
  vectorJacobianProduct([{ of: y, cotangent }], [...inputs.values()]).forEach((g, i) => {
    graph.output(`grad.${given[i]}`, g);
  });
  const feeds = Object.fromEntries([...given, "cotangent"].map((name) => [name, stored.get(name)!]));
  const results = await run(graph, feeds);
  return ["output", ...given.map((name) => `grad.${name}`)].map((name) => ({
    tensor: name,
    error: difference(results[name]!, stored.get(name)!),
  }));
}

/** The largest difference, relative to the largest magnitude of the reference; infinite where shapes differ. */
export function difference(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join()) return Number.POSITIVE_INFINITY;
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  return Math.max(...a.map((v, i) => Math.abs(v - e[i]!))) / Math.max(...e.map(Math.abs), 1e-30);
}

/** What the entry is of, built from inputs by the file's names. */
export function resamplingOf(entry: ResamplingCase, inputs: ReadonlyMap<string, Value>): Value {
  const of = (name: string): Value => inputs.get(name)!;
  const x = of("input");
  const kind = entry.file.split("/").at(entry.file.startsWith("up_block") ? 1 : 0)!;
  const convention = entry.convention as "corrected" | "as-published";
  const same = (weight: Value) => conv(x, weight, { pads: [1, 1, 1, 1] });
  if (kind === "flc_pooling") return flcPool(x);
  if (kind === "asap_pooling") return asapPool(x);
  if (kind === "frequency_preserved_pooling")
    return boaDown(x, of("alpha"), { convention: entry.convention as BoaConvention, padding: entry.padding! });
  if (kind === "down_block")
    return boaDown(same(of("0.weight")), of("1.alpha"), { convention: entry.convention as BoaConvention });
  if (kind === "freq_avg_up") return freqAvgUp(x, of("beta"), convention);
  if (kind === "split_up") return splitUp(x, of("beta"), convention);
  if (kind.startsWith("freq_avg_up")) return freqAvgUp(same(of("body.weight")), of("beta"), convention);
  if (kind.startsWith("split_up")) return splitUp(pixelShuffle(same(of("body.0.weight")), 2), of("beta"), convention);
  if (kind === "lctc") return lctc(x, { ...kernel("body", inputs), ...parallel(inputs), groups: entry.groups! });
  throw new Error(`No operator of ours is known for ${entry.file}.`);
}

function kernel(name: string, inputs: ReadonlyMap<string, Value>) {
  const bias = inputs.get(`${name}.bias`);
  return { weight: inputs.get(`${name}.weight`)!, ...(bias && { bias }) };
}

const parallel = (inputs: ReadonlyMap<string, Value>) => (inputs.has("para.weight") ? { parallel: kernel("para", inputs) } : {});
