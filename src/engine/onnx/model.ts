import type { DataType, Tensor } from "../tensor/tensor.js";

/**
 * An ONNX model as data: what `readModel` yields and `writeModel` takes. It is the file, not yet a `Graph`: shapes may be symbolic,
 * operators unknown, subgraphs nested. `specialize` turns it into one whose every value has a static shape.
 */
export interface OnnxModel {
  readonly irVersion: number;
  /** Version of the default operator set. */
  readonly opset: number;
  /** Versions of other operator sets by domain, for example `com.microsoft`. */
  readonly customOpsets: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly graph: OnnxGraph;
  readonly metadata: Readonly<Record<string, string>>;
  /** Set where the file has elements of a type that is computed in float32 here. */
  readonly widened?: "bfloat16";
}

export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Constants by name. A name that is also an input is a default for that input. */
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Topologically sorted. */
  readonly nodes: readonly OnnxNode[];
  /** Types of inner values as far as the file states them. */
  readonly valueInfo: ReadonlyMap<string, ValueInfo>;
}

export interface OnnxNode {
  readonly name: string;
  /** Operator type, for example "Conv". */
  readonly op: string;
  /** Operator set; "" is the default ONNX one. */
  readonly domain: string;
  /** Names; "" marks an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: OnnxGraph }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] };

export interface ValueInfo {
  readonly name: string;
  readonly type: DataType;
  /** A number is fixed, a string a symbolic axis ("" where unnamed); undefined where the rank is unknown. */
  readonly shape: readonly (number | string)[] | undefined;
  /** Set where a subgraph (of If, Loop, Scan) leaves a type to inference: then `type` and `shape` say nothing. */
  readonly typing?: "inferred";
}

/**
 * The operator set that Faultline works in and writes. `specialize` brings older and newer models to it: WebGPU and other
 * providers register their kernels for at most opset 18, and an operator of a newer one would silently run on the CPU.
 */
export const canonicalOpset = 18;

/** The oldest opset that is read. */
export const oldestOpset = 7;

/** The newest opset that is read: 22 only added element types to 21, 23 and 24 bring operators that are taken apart. */
export const newestOpset = 24;

/** IR version of the files that Faultline writes: it came with opset 18, and tools that know the one know the other. */
export const canonicalIrVersion = 8;

/** What is wrong with a model file: one sentence that says what, where and what to do. */
export class ModelError extends Error {
  override readonly name = "ModelError";

  /** The names in a damaged or hostile file can be of any length; what is shown is one line that can be read. */
  constructor(message: string, longest = 800) {
    const line = message.replace(/\s+/g, " ");
    super(line.length > longest ? `${line.slice(0, longest - 300)} ... ${line.slice(-250)}` : line);
  }
}
