import { bytesOf } from "../onnx/chunks.js";
import type { AttributeKind, Attributes, Operator } from "./operator.js";

/**
 * The attributes of a node with defaults filled in, in the order in which the operator declares them.
 *
 * @param fail throws an error that names the node.
 */
export function completeAttributes(operator: Operator, given: Attributes, fail: (message: string) => never): Attributes {
  if (completed.get(given) === operator) return given;
  const declared = operator.attributes;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(declared, name))
      fail(`it has no attribute "${name}"; it has ${Object.keys(declared).join(", ") || "none"}`);
    const { kind, choices } = declared[name]!;
    if (!isOfKind(kind, value)) fail(`its attribute ${name} is ${written(value)}, where it must be ${kindInWords[kind]}`);
    if (choices && !choices.includes(value as never))
      fail(`its attribute ${name} is ${written(value)}, where it must be one of ${choices.map(written).join(", ")}`);
  }
  const complete = Object.entries(declared).flatMap(([name, { required, default: fallback }]): [string, unknown][] => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined && required) fail(`attribute "${name}" is missing`);
    const known = value ?? fallback;
    return known === undefined ? [] : [[name, known]];
  });
  const attributes = Object.fromEntries(complete);
  completed.set(attributes, operator);
  return attributes;
}

/** Attributes of nodes, with the operator for which they are complete: a copy of a node takes them over. */
const completed = new WeakMap<Attributes, Operator>();

const kindInWords: Readonly<Record<AttributeKind, string>> = {
  int: "a whole number",
  float: "a number",
  string: "a text",
  ints: "a list of whole numbers",
  floats: "a list of numbers",
  strings: "a list of texts",
  tensor: "a tensor",
  graph: "a graph",
};

function isOfKind(kind: AttributeKind, value: unknown): boolean {
  switch (kind) {
    case "int":
      return Number.isInteger(value) || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
    case "float":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    case "ints":
      return Array.isArray(value) && value.every((v) => isOfKind("int", v));
    case "floats":
      return Array.isArray(value) && value.every((v) => typeof v === "number");
    case "strings":
      return Array.isArray(value) && value.every((v) => typeof v === "string");
    case "tensor":
    case "graph":
      return typeof value === "object" && value !== null && !Array.isArray(value);
  }
}

function written(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(written).join(", ")}${value.length > 8 ? ", ..." : ""}]`;
  return typeof value === "object" ? "a tensor or graph" : String(value);
}

/** The text of a node's attributes (see `attributeKey`), made once for each of them that holds no tensor. */
export function keyOfAttributes(attributes: Attributes, arrays: Arrays): string {
  const known = keys.get(attributes);
  if (known !== undefined) return known;
  const key = attributeKey(attributes, arrays);
  if (!Object.values(attributes).some((v) => typeof v === "object" && !Array.isArray(v))) keys.set(attributes, key);
  return key;
}

const keys = new WeakMap<Attributes, string>();

/**
 * A text that is equal for equal values only: NaN, infinities and both zeros are told apart, as JSON does not.
 *
 * @param arrays tells long arrays apart, which may be weights; without it, the text holds every element.
 */
export function attributeKey(value: unknown, arrays?: Arrays): string {
  switch (typeof value) {
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "object":
      if (value === null) return "null";
      if (ArrayBuffer.isView(value) && arrays && value.byteLength > longArray) return `#${arrays.numberOf(value)}`;
      if (Array.isArray(value) || ArrayBuffer.isView(value))
        return `[${Array.from(value as ArrayLike<unknown>, (v) => attributeKey(v, arrays))}]`;
      return `{${Object.entries(value).map(([key, v]) => `${JSON.stringify(key)}:${attributeKey(v, arrays)}`)}}`;
    default:
      return JSON.stringify(value) ?? "undefined";
  }
}

/** Arrays of more bytes have no text of their own. */
const longArray = 512;

/** Numbers arrays, equal ones alike. */
export class Arrays {
  /** By length and first bytes. */
  readonly #known = new Map<string, { readonly bytes: Uint8Array; readonly number: number }[]>();
  #count = 0;

  numberOf(array: ArrayBufferView): number {
    const bytes = bytesOf(array);
    const beginning = `${bytes.length} ${bytes.subarray(0, 16)}`;
    const alike = this.#known.get(beginning) ?? [];
    const same = alike.find((other) => other.bytes.every((b, i) => b === bytes[i]));
    if (same) return same.number;
    const number = this.#count++;
    this.#known.set(beginning, [...alike, { bytes, number }]);
    return number;
  }
}
