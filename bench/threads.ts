/**
 * Do results depend on how many threads ONNX Runtime computes with?
 *
 *     npx tsx bench/threads.ts [networks, by part of their name]
 *
 * Each network's prediction, loss and input gradient with 1 thread are held against those with 2, 3, 4 and 8 (of which only as many run at once as
 * there are cores; how the work is cut follows the number alone), bit for bit, at batch 1 and at the batch of the benches. Then four steps along the
 * gradient's sign, as attacks take them.
 */
import { lower } from "../src/engine/compile/lower.js";
import type { Engine } from "../src/engine/runtime/engine.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { type Tensor, tensor } from "../src/engine/tensor/tensor.js";
import { gradientOf, imageFor } from "./gradient-model.js";
import { type BenchNetwork, benchNetworks, forwardGraph } from "./networks/index.js";

const counts = [2, 3, 4, 8];
const steps = 4;

interface Outcome {
  readonly prediction: Tensor;
  readonly loss: number;
  readonly gradient: Tensor;
  /** The image after the steps. */
  readonly image: Tensor;
}

async function outcome(network: BenchNetwork, engine: Engine): Promise<Outcome> {
  const forward = forwardGraph(network);
  const programs = { forward: await engine.compile(forward), gradient: await engine.compile(lower(gradientOf(forward), "cpu")) };
  try {
    const start = imageFor(network);
    const { y } = await programs.forward.run({ x: start });
    const first = await programs.gradient.run({ x: start });
    let [x, dx] = [start, first.dx!];
    for (let step = 0; step < steps; step++) {
      const moved = x.data.map((v, i) => v + 0.01 * Math.sign(dx.data[i] as number));
      x = tensor("float32", x.shape, moved);
      dx = (await programs.gradient.run({ x })).dx!;
    }
    return { prediction: y!, loss: first.loss!.data[0] as number, gradient: first.dx!, image: x };
  } finally {
    for (const program of Object.values(programs)) program.dispose();
  }
}

/** "same", or how far off. */
function difference(a: Tensor, b: Tensor): string {
  let [differing, largest, size] = [0, 0, 0];
  for (let i = 0; i < a.data.length; i++) {
    const [p, q] = [Number(a.data[i]), Number(b.data[i])];
    size = Math.max(size, Math.abs(p));
    if (Object.is(p, q)) continue;
    differing++;
    largest = Math.max(largest, Math.abs(p - q));
  }
  return differing === 0
    ? "same"
    : `${differing} of ${a.data.length}, largest ${(largest / size).toExponential(0)} of the largest`;
}

const wanted = process.argv.slice(2).map((name) => name.toLowerCase());
const chosen = benchNetworks.filter(({ name }) => wanted.length === 0 || wanted.some((w) => name.toLowerCase().includes(w)));
for (const network of chosen) {
  for (const batch of new Set([1, network.input[0]!])) {
    const sized = { ...network, input: [batch, ...network.input.slice(1)] };
    const own = await (async () => {
      await using engine = await createEngine({ threads: 1 });
      return await outcome(sized, engine);
    })();
    for (const threads of counts) {
      await using engine = await createEngine({ threads });
      const other = await outcome(sized, engine);
      const parts = [
        `prediction ${difference(own.prediction, other.prediction)}`,
        `loss ${own.loss === other.loss ? "same" : `${own.loss} ${other.loss}`}`,
        `gradient ${difference(own.gradient, other.gradient)}`,
        `after ${steps} steps ${difference(own.image, other.image)}`,
      ];
      console.log(`${network.name}, batch ${batch}, ${threads} threads: ${parts.join("; ")}`);
    }
  }
}
