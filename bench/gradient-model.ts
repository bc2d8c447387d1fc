import { gradients } from "../src/engine/autodiff/gradients.js";
import { embed } from "../src/engine/graph/embed.js";
import { Graph } from "../src/engine/graph/graph.js";
import { mul, reduceSum } from "../src/engine/operators/index.js";
import { Random } from "../src/engine/tensor/random.js";
import { sizeOf, type Tensor, tensor } from "../src/engine/tensor/tensor.js";
import type { BenchNetwork } from "./networks/index.js";

/** The graph of ½ Σ y² and its gradient by x: outputs "loss" and "dx". */
export function gradientOf(forward: Graph): Graph {
  const graph = new Graph();
  const x = graph.input("x", "float32", forward.inputs[0]!.shape);
  const y = embed(graph, forward, { x }).outputs.y!;
  const loss = mul(reduceSum(mul(y, y)), 0.5);
  graph.output("loss", loss);
  graph.output("dx", gradients(loss, [x])[0]!);
  return graph;
}

/** Standard normal noise of the network's input shape. */
export function imageFor({ name, input }: BenchNetwork): Tensor<"float32"> {
  const random = new Random("bench", name);
  return tensor(
    "float32",
    input,
    Float32Array.from({ length: sizeOf(input) }, () => random.normal()),
  );
}
