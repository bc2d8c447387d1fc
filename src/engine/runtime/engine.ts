/// <reference lib="esnext.disposable" preserve="true" />
import type { Graph } from "../graph/graph.js";
import type { OnnxModel, ValueInfo } from "../onnx/model.js";
import type { DataType, Shape, Tensor } from "../tensor/tensor.js";

/** Where ONNX Runtime computes. In Node: all but `wasm`, as far as the platform's build has them; in the browser: `wasm`, `webgpu`. */
export type Provider = "cpu" | "cuda" | "tensorrt" | "coreml" | "dml" | "webgpu" | "wasm";

/** ONNX Runtime's graph optimization level. `disabled` runs the graph as written: the reference when a result is in doubt. */
export type OptimizationLevel = "disabled" | "basic" | "extended" | "layout" | "all";

export interface EngineOptions {
  /** Default: `cpu` in Node, `wasm` in the browser. */
  readonly provider?: Provider;
  /** Threads within one operator; default: the number of physical cores (browser: one where the page is not cross-origin isolated). */
  readonly threads?: number;
  /** Default `all`. */
  readonly optimization?: OptimizationLevel;
  /** How much of disposed programs is kept for the next `compile` of the same model; default 8 programs, 256 MiB of models with their weights. */
  readonly cache?: { readonly programs: number; readonly bytes: number };
  /**
   * Bytes of weights up to which a model goes to ONNX Runtime as one message, which may be 2 GB large; default 1 GiB. More weights go beside
   * it: in Node as files in the system's temporary folder, which the session maps into memory; in the browser as arrays of their own.
   */
  readonly inlineWeights?: number;
}

/** A file that ONNX Runtime reads itself, external data included (Node). */
export interface ModelFile {
  readonly path: string;
}

/** A graph or model in memory, the bytes of an ONNX file, or where a file lies. */
export type CompilableModel = Graph | OnnxModel | Uint8Array | ModelFile;

export interface CompileOptions {
  /** Default: the engine's. */
  readonly optimization?: OptimizationLevel;
  /**
   * Whether weights are copied into the order that kernels like best; default `on`. With `off` runs are slower, and weights that were mapped
   * from a file take no memory of their own.
   */
  readonly prepacking?: "off" | "on";
}

/** What computes: goes into every report, since results depend on it in the last bits. */
export interface EngineInfo {
  readonly provider: Provider;
  /** Package and version, for example "onnxruntime-node 1.30.0". */
  readonly runtime: string;
  readonly threads: number;
  readonly optimization: OptimizationLevel;
  /** Why fewer threads than asked for are in use, where that is so. */
  readonly note?: string;
}

/**
 * A tensor that stays with the engine: fed to a program it is not copied through the main thread. The memory is held until `dispose`, and
 * serves later kept outputs of the same type and shape.
 */
export interface DeviceTensor {
  readonly type: DataType;
  readonly shape: Shape;
  /** Absent: tells a `DeviceTensor` from a `Tensor`. */
  readonly data?: never;
  dispose(): void;
}

export type Feeds = Readonly<Record<string, Tensor | DeviceTensor>>;

export interface RunOptions<Kept extends string = never> {
  /** Outputs that come back as `DeviceTensor`. */
  readonly keep?: readonly Kept[];
  /** Outputs to compute; default all. */
  readonly only?: readonly string[];
  /** "given": the arrays of the feeds go to the engine, where they would be copied, and are empty afterwards; default "copied". */
  readonly feeds?: "copied" | "given";
}

/** A compiled model. Runs of one engine are carried out one after the other in the order of the calls. */
export interface Program {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /**
   * Runs the model. The arrays of the feeds are copied, and detached only where they are given away (`feeds`); results are fresh arrays.
   *
   * @throws EngineError when an input is missing, unknown or of another type or shape than the model's, when an output in `keep` or `only`
   *   does not exist, when ONNX Runtime fails, or when the program or engine is disposed.
   * @example
   * let x = await engine.upload(image);
   * for (let t = 0; t < steps; t++) {
   *   const { loss, x_next } = await step.run({ x, x0: image }, { keep: ["x_next"] });
   *   x.dispose();
   *   x = x_next;
   * }
   */
  run<const Kept extends string = never>(
    feeds: Feeds,
    options?: RunOptions<Kept>,
  ): Promise<Record<string, Tensor> & Record<Kept, DeviceTensor>>;
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * ONNX Runtime in a worker: compiling and running never block the calling thread. Made by `createEngine`.
 *
 * @example
 * const engine = await createEngine({ provider: "cpu" });
 * const program = await engine.compile(graph);
 * const { y } = await program.run({ x: tensor("float32", [1, 3, 8, 8]) });
 * await engine.dispose();
 */
export interface Engine {
  readonly info: EngineInfo;
  /**
   * Loads a graph, a model, the bytes of a file, or a file. A model that is in use or was disposed lately is not loaded again, unless it is named as a file. Arrays of the model, or
   * the bytes given for it, are copied or written out, never detached; do not change them before the promise is settled.
   *
   * @throws EngineError when ONNX Runtime cannot load the model: a sentence with the first line of its message.
   */
  compile(model: CompilableModel, options?: CompileOptions): Promise<Program>;
  /**
   * Runs a graph without inputs once, on the CPU and unoptimized, and forgets it: how constant subgraphs are folded, with the same result
   * whatever the provider. May be passed on as a function.
   */
  readonly evaluate: (model: Graph | OnnxModel | Uint8Array) => Promise<Record<string, Tensor>>;
  /** Copies a tensor to the engine. */
  upload(tensor: Tensor): Promise<DeviceTensor>;
  /** Copies a tensor back; the `DeviceTensor` lives on. */
  download(tensor: DeviceTensor): Promise<Tensor>;
  /** Stops the worker and frees all its memory; pending calls are rejected with an `EngineError`. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The engine cannot do what was asked: one sentence that says what, where and what to do. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}
