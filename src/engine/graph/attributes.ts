import type { AttributeKind, Attributes, Operator } from "./operator.js";

/**
 * The attributes of a node with defaults filled in, in the order in which the operator declares them.
 *
 * @param fail throws an error that names the node.
 */
export function completeAttributes(operator: Operator, given: Attributes, fail: (message: string) => never): Attributes {
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
  return Object.fromEntries(complete);
}

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

/** A text that is equal for equal values only: NaN, infinities and both zeros are told apart, as JSON does not. */
export function attributeKey(value: unknown): string {
  switch (typeof value) {
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value) || ArrayBuffer.isView(value)) return `[${Array.from(value as ArrayLike<unknown>, attributeKey)}]`;
      return `{${Object.entries(value).map(([key, v]) => `${JSON.stringify(key)}:${attributeKey(v)}`)}}`;
    default:
      return JSON.stringify(value) ?? "undefined";
  }
}
