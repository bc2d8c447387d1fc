import { type DataType, isFloat, sizeOf, type Tensor, tensor } from "../../tensor/tensor.js";
import { nodeTitle } from "../check.js";
import { type Attribute, ModelError, newestOpset, type OnnxNode } from "../model.js";
import { elementTypes } from "../schema.js";
import { scalar } from "../tensor-data.js";
import type { Scope } from "./scope.js";

/**
 * How one operator in an older, newer or vendor's form is brought to opset 18.
 *
 * @example { op: "Scatter", from: 9, to: 10, convert: (node, to) => to.keep({ ...node, op: "ScatterElements" }) }
 */
export interface Conversion {
  readonly op: string;
  /** The operator set; the default one where absent. */
  readonly domain?: string;
  /** First and last version of that set in which the operator has the form that `convert` takes. */
  readonly from: number;
  readonly to: number;
  /** How many inputs must be there, for `convert` takes them for granted; default 1. */
  readonly inputs?: number;
  /** Which of them may be left out all the same, by "". */
  readonly omissible?: readonly number[];
  convert(node: OnnxNode, to: Rewrite): void;
}

export const newest = newestOpset;
/** Versions of com.microsoft, of which there is one only. */
export const microsoft = { domain: "com.microsoft", from: 1, to: 1 } as const;
/** Operators that conversions take in any form that may come. */
export const always = { from: 7, to: newest } as const;

/** Collects the nodes that take the place of one node. */
export class Rewrite {
  constructor(
    readonly node: OnnxNode,
    readonly opset: number,
    readonly scope: Scope,
  ) {}

  /** Adds a node that is in canonical form already. */
  keep(node: OnnxNode): void {
    this.scope.push(node);
  }

  /** Adds a node of the default operator set and gives its (first) output, fresh unless named. */
  add(op: string, inputs: readonly string[], attributes: OnnxNode["attributes"] = {}, outputs?: readonly string[]): string {
    const made = outputs ?? [this.scope.fresh(`${this.node.outputs[0] ?? this.node.op}/${op}`)];
    this.scope.push({ name: this.node.name, op, domain: "", inputs, outputs: made, attributes });
    return made[0]!;
  }

  /** As `add`, into the outputs of the node that is replaced. */
  finish(op: string, inputs: readonly string[], attributes: OnnxNode["attributes"] = {}): void {
    this.add(op, inputs, attributes, this.node.outputs.slice(0, 1));
  }

  /** A new initializer's name. */
  constant(value: Tensor, hint = "constant"): string {
    return this.scope.addInitializer(`${this.node.outputs[0] ?? this.node.op}/${hint}`, value);
  }

  int64(values: readonly number[], hint?: string): string {
    return this.constant(int64Tensor([values.length], values), hint);
  }

  /** A scalar of the type that the value `name` has; by a CastLike where the file does not tell. */
  like(name: string, value: number): string {
    const type = this.scope.type(name);
    if (type !== undefined && !isFloat(type) && !Number.isInteger(value)) this.refuse(`works on ${type}, which it does not take`);
    if (type !== undefined) return this.constant(scalar(type, value));
    return this.add("CastLike", [this.constant(scalar("float32", value)), name]);
  }

  /** Says that a node cannot be brought to opset 18, in one sentence with the reason. */
  refuse(reason: string): never {
    throw new ModelError(`${nodeTitle(this.node)} of opset ${this.opset} ${reason}.`);
  }
}

/** INT64_MAX, "to the end" of a Slice, was rounded up to 2^63 when it became a number: it saturates. */
export function int64Tensor(shape: readonly number[], values: readonly number[]): Tensor<"int64"> {
  const data = BigInt64Array.from(values, (v) => (v >= 2 ** 63 ? 2n ** 63n - 1n : v <= -(2 ** 63) ? -(2n ** 63n) : BigInt(v)));
  return tensor("int64", shape, data);
}

export const int = (value: number): Attribute => ({ kind: "int", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const text = (value: string): Attribute => ({ kind: "string", value });

export function intOf(node: OnnxNode, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "int" ? attribute.value : fallback;
}

export function intsOf(node: OnnxNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.kind === "ints" ? attribute.value : undefined;
}

export function floatOf(node: OnnxNode, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "float" ? attribute.value : fallback;
}

export function textOf(node: OnnxNode, name: string, fallback: string): string {
  const attribute = node.attributes[name];
  return attribute?.kind === "string" ? attribute.value : fallback;
}

export function without(attributes: OnnxNode["attributes"], ...names: string[]): OnnxNode["attributes"] {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}

/** The number of an element type in attributes such as `to` of Cast. */
export function elementNumber(type: DataType): number {
  return elementTypes.indexOf(type);
}

export function isEmpty(value: Tensor | undefined): boolean {
  return value !== undefined && sizeOf(value.shape) === 0;
}
