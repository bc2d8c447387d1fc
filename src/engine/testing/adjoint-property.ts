import { gradients } from "../autodiff/gradients.js";
import { Graph, GraphError, type Value } from "../graph/graph.js";
import { mul } from "../operators/elementwise/mul.js";
import { Random } from "../tensor/random.js";
import { sizeOf, tensor, toNumbers } from "../tensor/tensor.js";
import { type OptimizationLevel, runModel } from "./run-model.js";

/**
 * For an operator that is linear in each of its inputs, ⟨v, y⟩ = ⟨x, ∂⟨v, y⟩/∂x⟩ holds for every input x and every v. Builds `count` random
 * nodes and returns those for which it does not, as readable lines. Combinations that the operator's shape rule rejects are skipped.
 */
export async function notAdjoint(
  count: number,
  level: OptimizationLevel,
  build: (graph: Graph, random: Random) => Value,
): Promise<string[]> {
  const wrong: string[] = [];
  for (let seed = 0; seed < count; seed++) {
    const random = new Random(seed, "adjoint");
    const graph = new Graph();
    let y: Value;
    try {
      y = build(graph, random);
    } catch (error) {
      if (error instanceof GraphError) continue;
      throw error;
    }
    const inputs = [...graph.inputs];
    const v = graph.input("cotangent", y.type, y.shape);
    const node = graph.nodes.at(-1)!;
    graph.output("y", y);
    gradients(mul(y, v), inputs).forEach((d, i) => {
      graph.output(`d${i}`, d);
    });
    const feeds = Object.fromEntries(
      graph.inputs.map((x) => [
        x.name,
        tensor(
          x.type,
          x.shape,
          Array.from({ length: sizeOf(x.shape) }, () => random.normal()),
        ),
      ]),
    );
    const r = await runModel(graph, feeds, level);
    const numbers = (name: string) => toNumbers(r[name] ?? feeds[name]!);
    const scale = Math.sqrt(dot(numbers("y"), numbers("y")) * dot(numbers("cotangent"), numbers("cotangent")));
    const left = dot(numbers("y"), numbers("cotangent"));
    inputs.forEach((x, i) => {
      const right = dot(numbers(x.name), numbers(`d${i}`));
      if (!(Math.abs(left - right) <= 1e-5 * scale))
        wrong.push(
          `${node.operator.name} ${JSON.stringify(node.attributes)} of ${inputs.join(", ")}: ${left} is not ${right} for ${x.name}`,
        );
    });
  }
  return wrong;
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, ai, i) => s + ai * b[i]!, 0);
