/**
 * What does it save to leave a program's result with the engine? A 16 MiB state goes through x + 1 again and again.
 *
 *     npx tsx bench/resident.ts
 */
import { Graph } from "../src/engine/graph/graph.js";
import { add } from "../src/engine/operators/elementwise/add.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { tensor } from "../src/engine/tensor/tensor.js";
import { readArguments } from "./options.js";

readArguments("bench/resident.ts", []);
const [size, steps] = [2 ** 22, 100];
const graph = new Graph();
graph.output("next", add(graph.input("x", "float32", [size]), 1));
const engine = await createEngine();
const program = await engine.compile(graph);

async function time(label: string, loop: () => Promise<void>): Promise<void> {
  await loop();
  const begin = performance.now();
  await loop();
  console.log(`${label}: ${((performance.now() - begin) / steps).toFixed(2)} ms a step`);
}

await time("through the main thread", async () => {
  let x = tensor("float32", [size]);
  for (let i = 0; i < steps; i++) x = (await program.run({ x })).next as typeof x;
});

await time("kept, memory reused", async () => {
  let x = await engine.upload(tensor("float32", [size]));
  for (let i = 0; i < steps; i++) {
    const { next } = await program.run({ x }, { keep: ["next"] });
    x.dispose();
    x = next;
  }
  x.dispose();
});

await time("kept, fresh memory each step", async () => {
  const states = [await engine.upload(tensor("float32", [size]))];
  for (let i = 0; i < steps; i++) states.push((await program.run({ x: states.at(-1)! }, { keep: ["next"] })).next);
  for (const x of states) x.dispose();
});

await engine.dispose();
