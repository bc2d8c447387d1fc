import type { Chunks } from "./chunks.js";

/** Takes a model's weights as they are written outside its message, and says where each lies. */
export interface DataFiles {
  place(bytes: Uint8Array): { readonly location: string; readonly offset: number };
  /** What was placed, by the name of the file; no copies. */
  files(): ReadonlyMap<string, Chunks>;
}

/** Tensors begin at multiples of this many bytes, a memory page, so that a runtime can map the file instead of reading it. */
const page = 4096;
const zeros = new Uint8Array(page);

/** All weights in one file, one after the other; one array is written once, however many tensors it is the data of. */
export class OneDataFile implements DataFiles {
  readonly #places = new Places();
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(readonly name: string) {}

  place(bytes: Uint8Array): { location: string; offset: number } {
    const known = this.#places.get(bytes);
    if (known !== undefined) return { location: this.name, offset: known };
    const padding = (page - (this.#length % page)) % page;
    if (padding > 0) this.#chunks.push(zeros.subarray(0, padding));
    const offset = this.#length + padding;
    this.#chunks.push(bytes);
    this.#length = offset + bytes.length;
    this.#places.set(bytes, offset);
    return { location: this.name, offset };
  }

  files(): ReadonlyMap<string, Chunks> {
    return new Map(this.#length === 0 ? [] : [[this.name, { chunks: this.#chunks, length: this.#length }]]);
  }
}

/** A file for each tensor: for runtimes that take files as arrays, of which none is then larger than a tensor. */
export class DataFilePerTensor implements DataFiles {
  readonly #places = new Places();
  readonly #files = new Map<string, Chunks>();

  place(bytes: Uint8Array): { location: string; offset: number } {
    const index = this.#places.get(bytes) ?? this.#files.size;
    const location = `weights.${index}`;
    this.#places.set(bytes, index);
    this.#files.set(location, { chunks: [bytes], length: bytes.length });
    return { location, offset: 0 };
  }

  files(): ReadonlyMap<string, Chunks> {
    return this.#files;
  }
}

/** A number for each stretch of memory. */
class Places {
  readonly #known = new Map<ArrayBufferLike, Map<string, number>>();

  get(bytes: Uint8Array): number | undefined {
    return this.#known.get(bytes.buffer)?.get(`${bytes.byteOffset} ${bytes.length}`);
  }

  set(bytes: Uint8Array, place: number): void {
    const known = this.#known.get(bytes.buffer) ?? new Map<string, number>();
    known.set(`${bytes.byteOffset} ${bytes.length}`, place);
    this.#known.set(bytes.buffer, known);
  }
}
