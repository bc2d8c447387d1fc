import type { ValueInfo } from "../../../engine/onnx/model.js";
import type { DeviceTensor, Engine, Feeds, RunOptions } from "../../../engine/runtime/engine.js";
import { type Shape, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { NoiseStem } from "../ascent/looks.js";

// A step's gradient is a sum: over the tiles of an image, over the images of a batch, over draws of a random transform. Where one graph with all terms
// would take too much memory, or too long to compile, one program for a term runs several times. Whatever is made so is run like a program.

export type Handles = Record<string, Tensor | DeviceTensor>;

/** A program, or several of them behind one. */
export interface Runnable {
  readonly inputs: readonly ValueInfo[];
  /** Outputs come as tensors in memory; those in `keep` may stay with the engine. */
  run(feeds: Feeds, options?: PassOptions): Promise<Handles>;
  dispose(): void;
}

export interface PassOptions extends RunOptions<string> {
  /** Raw noise of a draw, by the names that `noiseName` gives without its number; needed where there is a transform. */
  readonly draw?: (draw: number, stem: NoiseStem) => Handles;
}

/** Tensors in memory of what stays with an engine. All but the iterates are the same at every step, and are copied once. */
export class HostCopies {
  readonly #copies = new WeakMap<object, Tensor>();

  constructor(private readonly engine: Engine) {}

  /** Of the feeds, those that a program takes. */
  async of(feeds: Feeds, program: Runnable): Promise<Record<string, Tensor>> {
    const copies: Record<string, Tensor> = {};
    for (const [name, t] of Object.entries(pick(feeds, program))) copies[name] = await this.#copy(name, t);
    return copies;
  }

  async #copy(name: string, t: Tensor | DeviceTensor): Promise<Tensor> {
    if (t.data !== undefined) return t as Tensor;
    const copy = this.#copies.get(t) ?? (await this.engine.download(t as DeviceTensor));
    if (!name.startsWith("x.")) this.#copies.set(t, copy);
    return copy;
  }
}

/** Sums by name of one number for each sample, in double precision until they are asked for. */
export class Sums {
  readonly #sums = new Map<string, Float64Array>();

  add(name: string, { data }: Tensor, factor: number): void {
    const sum = this.#sums.get(name) ?? new Float64Array(data.length);
    for (let i = 0; i < sum.length; i++) sum[i]! += factor * Number(data[i]);
    this.#sums.set(name, sum);
  }

  values(): Record<string, Tensor<"float32">> {
    const entries = [...this.#sums].map(([name, sum]) => [name, tensor("float32", [sum.length], Float32Array.from(sum))]);
    return Object.fromEntries(entries);
  }
}

/** Of the feeds, those that a program takes. */
export const pick = (feeds: Feeds, { inputs }: Pick<Runnable, "inputs">): Handles =>
  Object.fromEntries(inputs.flatMap(({ name }) => (feeds[name] ? [[name, feeds[name]]] : [])));

/** The shape of an input; a program's are all known. */
export const shapeOf = ({ shape }: ValueInfo): Shape => shape as Shape;

/** Frees what stays with the engine. */
export function release(handles: readonly (Tensor | DeviceTensor | undefined)[]): void {
  for (const handle of new Set(handles)) if (handle && handle.data === undefined) (handle as DeviceTensor).dispose();
}
