import type { Engine, Feeds } from "../../../engine/runtime/engine.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { HostCopies, type PassOptions, type Runnable, shapeOf } from "./runnable.js";

/**
 * A program for a batch made of one for as many images as the model's file takes at a time: run several times, the last time filled up with copies of the
 * last image. In one graph the model would stand there as often, and take as much longer to compile and to run (a batch of 12 on a model of one image:
 * docs/attacks.md). All inputs but scalars, and all outputs, are [B, ...].
 */
export class PartByPart implements Runnable {
  readonly inputs: Runnable["inputs"];
  readonly #copies: HostCopies;

  constructor(
    engine: Engine,
    private readonly part: Runnable,
    private readonly batch: number,
  ) {
    this.#copies = new HostCopies(engine);
    this.inputs = part.inputs.map((input) =>
      isScalar(shapeOf(input)) ? input : { ...input, shape: [batch, ...shapeOf(input).slice(1)] },
    );
  }

  async run(feeds: Feeds, options: PassOptions = {}): Promise<Record<string, Tensor>> {
    const whole = await this.#copies.of(feeds, this);
    const count = this.part.inputs.map(shapeOf).find((shape) => !isScalar(shape))![0]!;
    const joined: Record<string, Tensor> = {};
    for (let from = 0; from < this.batch; from += count) {
      const some = Object.entries(whole).map(([name, t]) => [name, isScalar(t.shape) ? t : entries(t, from, count)]);
      const found = await this.part.run(Object.fromEntries(some), options.only ? { only: options.only } : {});
      for (const [name, handle] of Object.entries(found)) {
        const t = handle as Tensor;
        joined[name] ??= tensor(t.type, [this.batch, ...t.shape.slice(1)]);
        put(joined[name], t, from);
      }
    }
    return joined;
  }

  dispose(): void {
    this.part.dispose();
  }
}

const isScalar = (shape: Shape): boolean => shape.length === 0;

/** `count` entries along the first axis; beyond its end the last one, again and again. */
function entries(t: Tensor, from: number, count: number): Tensor {
  const [batch, ...rest] = t.shape as [number, ...number[]];
  const n = sizeOf(rest);
  const data = t.data as Float32Array;
  if (from + count <= batch)
    return { ...t, shape: [count, ...rest], data: data.subarray(from * n, (from + count) * n) } as Tensor;
  const filled = tensor(t.type, [count, ...rest]);
  const out = filled.data as Float32Array;
  for (let i = 0; i < count; i++) {
    const entry = Math.min(from + i, batch - 1);
    out.set(data.subarray(entry * n, (entry + 1) * n), i * n);
  }
  return filled;
}

/** Copies a part to where it belongs, but for what lies beyond the end. */
function put(whole: Tensor, part: Tensor, from: number): void {
  const n = sizeOf(whole.shape.slice(1));
  const data = part.data as Float32Array;
  (whole.data as Float32Array).set(data.subarray(0, Math.min(data.length, whole.data.length - from * n)), from * n);
}
