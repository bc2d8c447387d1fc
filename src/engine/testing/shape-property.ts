import { Graph, GraphError, type Value } from "../graph/graph.js";
import { Random } from "../tensor/random.js";
import { describe, type Tensor, tensor } from "../tensor/tensor.js";
import { runModel } from "./run-model.js";

/**
 * Builds `count` random nodes and returns those whose inferred output types are not what ONNX Runtime computes, as readable lines, with the
 * number of attribute combinations that the shape rule rejected. Graph inputs are fed with zeros.
 */
export async function misinferred(
  count: number,
  build: (graph: Graph, random: Random) => Value | readonly Value[],
): Promise<{ mistakes: string[]; rejected: number }> {
  const mistakes: string[] = [];
  let rejected = 0;
  for (let seed = 0; seed < count; seed++) {
    const graph = new Graph();
    let outputs: readonly Value[];
    try {
      const built = build(graph, new Random(seed, "shapes"));
      outputs = Array.isArray(built) ? built : [built as Value];
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      rejected++;
      continue;
    }
    outputs.forEach((v, i) => {
      graph.output(`y${i}`, v);
    });
    const node = graph.nodes.at(-1)!;
    const what = `${node.operator.name} ${JSON.stringify(node.attributes)} of ${node.inputs.map((v) => v && describe(v))}`;
    const feeds = Object.fromEntries(graph.inputs.map((v): [string, Tensor] => [v.name, tensor(v.type, v.shape)]));
    const results = await runModel(graph, feeds, "disabled").catch((error: unknown) => String(error));
    outputs.forEach((v, i) => {
      const truth = typeof results === "string" ? results : describe(results[`y${i}`]!);
      if (truth !== describe(v)) mistakes.push(`${what}: inferred ${describe(v)}, ONNX Runtime ${truth}`);
    });
  }
  return { mistakes, rejected };
}
