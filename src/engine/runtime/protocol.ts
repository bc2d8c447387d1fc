import type { ValueInfo } from "../onnx/model.js";
import type { DataType, Shape, Tensor } from "../tensor/tensor.js";
import type { OptimizationLevel, Provider } from "./engine.js";

/** What the main thread asks of the worker, each with the answer it gets. Everything in here survives structured cloning. */
export interface Calls {
  start: { request: StartRequest; answer: StartAnswer };
  compile: { request: CompileRequest; answer: CompileAnswer };
  run: { request: RunRequest; answer: RunAnswer };
  release: { request: { program: number }; answer: undefined };
  upload: { request: { tensor: Tensor }; answer: ResidentTensor };
  download: { request: { resident: number }; answer: Tensor };
  free: { request: { resident: number }; answer: undefined };
}

export type CallKind = keyof Calls;

export interface StartRequest {
  readonly provider: Provider;
  readonly threads: number;
  /** Base address of ONNX Runtime's WebAssembly files, where they do not lie beside its script. */
  readonly wasm?: string;
}

export interface StartAnswer {
  readonly runtime: string;
  readonly threads: number;
  /** Whether results can be left in given arrays (`run-into.ts`). */
  readonly placesOutputs: boolean;
}

export interface CompileRequest {
  /** The message, or the path of a file, which may have external data beside it (Node). */
  readonly model: Uint8Array | string;
  /** Weights that lie outside the message, by the location that it states. */
  readonly weights: readonly { readonly path: string; readonly data: Uint8Array }[];
  /** The engine's, or `cpu`, which every build of ONNX Runtime has. */
  readonly provider: Provider;
  readonly optimization: OptimizationLevel;
  readonly prepacking: "off" | "on";
}

export interface CompileAnswer {
  readonly program: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

export interface RunRequest {
  readonly program: number;
  readonly feeds: Readonly<Record<string, Tensor | ResidentTensor>>;
  readonly fetch: readonly string[];
  readonly keep: readonly string[];
  /** Feeds whose arrays come back with the answer. */
  readonly lent: readonly string[];
}

export interface RunAnswer {
  readonly results: Readonly<Record<string, Tensor | ResidentTensor>>;
  readonly returned: readonly ArrayBuffer[];
}

/** A tensor in the worker, by number. */
export interface ResidentTensor {
  readonly resident: number;
  readonly type: DataType;
  readonly shape: Shape;
}

export type Request = {
  [K in CallKind]: { readonly id: number; readonly kind: K; readonly request: Calls[K]["request"] };
}[CallKind];

export type Reply =
  | { readonly id: number; readonly answer: Calls[CallKind]["answer"] }
  | { readonly id: number; readonly error: string };
