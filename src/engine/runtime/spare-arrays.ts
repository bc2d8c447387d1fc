import { bytesPerElement, copyOf, type Tensor, viewOf } from "../tensor/tensor.js";

/**
 * The arrays in which copies of feeds went to the worker, for the next copies of their size. An attack feeds thousands of batches, and JavaScript's garbage
 * collector, which sees that much memory come and go, would cost as much as a small network does.
 */
export class SpareArrays {
  /** By their number of bytes. */
  readonly #spare = new Map<number, ArrayBuffer[]>();
  #bytes = 0;

  /** @param limit how many bytes all spare arrays take at most. */
  constructor(private readonly limit = 64 * 2 ** 20) {}

  /** A copy of the tensor with an array of its own. */
  copyOf(t: Tensor): Tensor {
    const buffer = this.#spare.get(t.data.byteLength)?.pop();
    if (!buffer) return copyOf(t);
    this.#bytes -= buffer.byteLength;
    const data = viewOf(t.type, new Uint8Array(buffer), buffer.byteLength / bytesPerElement(t.type));
    (data as Float32Array).set(t.data as Float32Array);
    return { type: t.type, shape: [...t.shape], data } as Tensor;
  }

  /** Keeps arrays that nobody uses any more, as far as there is room. */
  keep(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) {
      if (this.#bytes + buffer.byteLength > this.limit) return;
      const alike = this.#spare.get(buffer.byteLength);
      if (alike) alike.push(buffer);
      else this.#spare.set(buffer.byteLength, [buffer]);
      this.#bytes += buffer.byteLength;
    }
  }
}
