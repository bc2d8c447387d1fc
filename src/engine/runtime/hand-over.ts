import { type Chunks, join } from "../onnx/chunks.js";
import { DataFilePerTensor, OneDataFile } from "../onnx/data-files.js";
import type { OnnxModel } from "../onnx/model.js";
import { encodeModel, tensorBytes } from "../onnx/write.js";
import type { Tensor } from "../tensor/tensor.js";
import type { CompileRequest } from "./protocol.js";
import { sequencePrefix } from "./run-into.js";

/** Puts a model down as files that ONNX Runtime reads itself; `remove` takes them away again. */
export type Shelve = (files: ReadonlyMap<string, Chunks>) => Promise<{ path(name: string): string; remove(): Promise<void> }>;

export interface HandOverOptions {
  /** Bytes of weights above which they do not go through the message. */
  readonly inlineWeights: number;
  /** Where the runtime shares a file system. */
  readonly shelve: Shelve | undefined;
  /** Whether programs get the additional output by which results are left in place. */
  readonly placesOutputs: boolean;
}

/** What ONNX Runtime gets of a model. */
export interface HandOver {
  /** What a session holds at least: the message and all weights. */
  readonly bytes: number;
  /** SHA-256 of it all, or, where the page's origin is not secure and the browser withholds it, a key that no other model has. */
  key(): Promise<string>;
  /** Calls `load` with what is sent to the worker. */
  send<T>(load: (model: Pick<CompileRequest, "model" | "weights">, transfer: ArrayBuffer[]) => Promise<T>): Promise<T>;
}

/** The given array is copied, whatever buffer it is a part of. */
export function handOverBytes(model: Uint8Array): HandOver {
  const bytes = join({ chunks: [model], length: model.length });
  return inOneMessage(bytes);
}

/** Weights are copied into the message, or, where they are many, go beside it; these must not change until the model is loaded. */
export function handOver(model: OnnxModel, { inlineWeights, shelve, placesOutputs }: HandOverOptions): HandOver {
  const withPrefix = ({ chunks, length }: Chunks): Chunks =>
    placesOutputs ? { chunks: [sequencePrefix, ...chunks], length: sequencePrefix.length + length } : { chunks, length };
  if (tensorBytes(model.graph) <= inlineWeights) return inOneMessage(join(withPrefix(encodeModel(model).message)));
  const { message, data } = encodeModel(model, { weights: shelve ? new OneDataFile("weights") : new DataFilePerTensor() });
  const files = new Map([["model.onnx", withPrefix(message)], ...data]);
  return {
    bytes: [...files.values()].reduce((sum, { length }) => sum + length, 0),
    key: () => digest([...files.values()].flatMap(({ chunks }) => chunks)),
    async send(load) {
      if (!shelve) {
        const weights = [...data].map(([path, chunks]) => ({ path, data: join(chunks) }));
        const model = join(withPrefix(message));
        return load({ model, weights }, [model.buffer, ...weights.map((w) => w.data.buffer)]);
      }
      const shelf = await shelve(files);
      try {
        return await load({ model: shelf.path("model.onnx"), weights: [] }, []);
      } finally {
        await shelf.remove();
      }
    },
  };
}

/** Weights of so many bytes are worth a feed. */
const worthFeeding = 2 ** 16;

/**
 * A model that is run once, with its large weights as inputs, and these. ONNX Runtime then works on the fed arrays, where it would hold what
 * is in the message twice while it loads it.
 */
export function weightsAsFeeds(model: OnnxModel): {
  readonly model: OnnxModel;
  readonly feeds: Readonly<Record<string, Tensor>>;
} {
  const { inputs, initializers } = model.graph;
  const feeds = Object.fromEntries([...initializers].filter(([, { data }]) => data.byteLength >= worthFeeding));
  const asInputs = Object.entries(feeds).map(([name, { type, shape }]) => ({ name, type, shape }));
  const graph = {
    ...model.graph,
    inputs: [...inputs.filter(({ name }) => !(name in feeds)), ...asInputs],
    initializers: new Map([...initializers].filter(([name]) => !(name in feeds))),
  };
  return { model: { ...model, graph }, feeds };
}

function inOneMessage(bytes: Uint8Array<ArrayBuffer>): HandOver {
  return {
    bytes: bytes.length,
    key: () => digest([bytes]),
    send: (load) => load({ model: bytes, weights: [] }, [bytes.buffer]),
  };
}

/** Hashed at a time: the browser's and Node's hash functions copy what they are given. */
const piece = 2 ** 24;
let unhashed = 0;

async function digest(chunks: readonly Uint8Array[]): Promise<string> {
  const { subtle } = globalThis.crypto;
  if (!subtle) return `unhashed ${++unhashed}`;
  const sums: number[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += piece) {
      const part = chunk.subarray(at, at + piece) as Uint8Array<ArrayBuffer>;
      sums.push(part.length, ...new Uint8Array(await subtle.digest("SHA-256", part)));
    }
  }
  const all = new Uint8Array(await subtle.digest("SHA-256", Uint8Array.from(sums)));
  return Array.from(all, (b) => b.toString(16).padStart(2, "0")).join("");
}
