import { Graph } from "../src/engine/graph/graph.js";
import { add } from "../src/engine/operators/elementwise/add.js";
import { matMul } from "../src/engine/operators/linear/mat-mul.js";
import type { Engine } from "../src/engine/runtime/engine.js";
import { tensor } from "../src/engine/tensor/tensor.js";

const [width, layers, batch] = [256, 8, 64];

/** A network of eight 256 x 256 layers, 2 MiB of weights; the number makes each model another one. */
function network(number: number) {
  const graph = new Graph();
  let h = graph.input("x", "float32", [batch, width]);
  for (let i = 0; i < layers; i++) {
    const weight = tensor("float32", [width, width]);
    weight.data.fill(1 / width);
    weight.data[0] = number + i;
    h = add(matMul(h, graph.constant(weight)), 1);
  }
  graph.output("y", h);
  return graph;
}

/** Resident memory of the process in MiB, before the first and after each of the compile/run/dispose cycles. */
export async function residentMemory(engine: Engine, cycles: number): Promise<number[]> {
  const samples = [rss()];
  const x = tensor("float32", [batch, width]);
  for (let i = 0; i < cycles; i++) {
    const program = await engine.compile(network(i));
    const { y } = await program.run({ x }, { keep: ["y"] });
    y.dispose();
    program.dispose();
    samples.push(rss());
  }
  return samples;
}

const rss = () => process.memoryUsage.rss() / 2 ** 20;
