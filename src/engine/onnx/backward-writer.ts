import { bytesOf, type Chunks } from "./chunks.js";

/** Byte fields of this length and more stay arrays of their own. */
const longField = 2 ** 12;
/** What is shorter is gathered in arrays of this length. */
const pageSize = 2 ** 16;

const encoder = new TextEncoder();

/**
 * Writes a protobuf message from its end to its beginning: the length that stands before a content is known when it is written, so messages
 * within messages need no arrays of their own.
 */
export class BackwardWriter {
  /** From the last to the first. */
  readonly #chunks: Uint8Array[] = [];
  #page = new Uint8Array(pageSize);
  /** Where what is written in the page begins. */
  #at = pageSize;
  #done = 0;

  /** How many bytes are written. */
  get length(): number {
    return this.#done + this.#page.length - this.#at;
  }

  /** All that was written; long byte fields are the given arrays themselves. */
  finish(): Chunks {
    this.#putAside();
    return { chunks: this.#chunks.toReversed(), length: this.#done };
  }

  /** A whole number: seven bits a byte, the lowest first, negative ones as the two's complement of 64 bits. */
  varint(value: number | bigint): void {
    if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      let size = 1;
      for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
      let at = this.#take(size);
      let rest = value;
      for (; rest >= 128; rest = Math.floor(rest / 128)) this.#page[at++] = (rest % 128) | 128;
      this.#page[at] = rest;
      return;
    }
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    this.bytes(Uint8Array.of(...bytes, Number(rest)));
  }

  text(text: string): void {
    let isPlain = text.length <= longField;
    for (let i = 0; isPlain && i < text.length; i++) isPlain = text.charCodeAt(i) < 128;
    if (!isPlain) {
      this.bytes(encoder.encode(text));
      return;
    }
    const at = this.#take(text.length);
    for (let i = 0; i < text.length; i++) this.#page[at + i] = text.charCodeAt(i);
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length < longField) {
      const at = this.#take(bytes.length);
      this.#page.set(bytes, at);
      return;
    }
    this.#putAside();
    this.#chunks.push(bytes);
    this.#done += bytes.length;
  }

  /** Room for so many bytes before those written so far; where it begins. */
  #take(bytes: number): number {
    if (this.#at < bytes) {
      this.#putAside();
      this.#page = new Uint8Array(pageSize);
      this.#at = pageSize;
    }
    this.#at -= bytes;
    return this.#at;
  }

  #putAside(): void {
    const written = this.#page.subarray(this.#at);
    if (written.length > 0) this.#chunks.push(written);
    this.#done += written.length;
    this.#page = this.#page.subarray(0, this.#at);
  }
}

const numbers = { 32: new Float32Array(1), 64: new Float64Array(1) };

/** The bytes of a number of so many bits, little-endian as all machines are that run this; good until the next call. */
export function floatBytes(value: number, bits: 32 | 64): Uint8Array {
  const array = numbers[bits];
  array[0] = value;
  return bytesOf(array);
}
