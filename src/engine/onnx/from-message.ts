import type { Tensor } from "../tensor/tensor.js";
import { isBfloat16, namesInBfloat16, toBfloat16, typeAttributes } from "./bfloat16.js";
import { nodeTitle } from "./check.js";
import { type Attribute, ModelError, type OnnxGraph, type OnnxNode, type ValueInfo } from "./model.js";
import { attributeTypes, elementTypes, type Messages } from "./schema.js";
import { type ByteBudget, dataTypeOf, type ExternalData, elementTypeName, readSparseTensor, readTensor } from "./tensor-data.js";

/** What turning messages into a graph needs to know. */
export interface Source {
  readonly irVersion: number;
  readonly budget: ByteBudget;
  readonly external: ExternalData | undefined;
  /** Whether outputs are those of the file, of which it states the types, or inner values ("cut"), of which it need not. */
  readonly outputs: "stated" | "cut";
}

/** "" for both spellings of the default operator set. */
export function domainOf(domain: string | undefined): string {
  return domain === undefined || domain === "ai.onnx" ? "" : domain;
}

export function readGraph(message: Messages["Graph"], source: Source, level: "model" | "subgraph" = "model"): OnnxGraph {
  const initializers = readInitializers(message, source);
  const narrow = namesInBfloat16(message);
  const read = level === "model" ? readValueInfo : readSubgraphValue;
  const inputs = (message.input ?? []).map((info) => read(info, "input"));
  const valueInfo = new Map<string, ValueInfo>();
  for (const info of message.valueInfo ?? []) {
    // A statement about an inner value: one of a type that Faultline does not know helps nobody, but does not hurt either.
    if (dataTypeOf(info.type?.tensorType?.elemType) !== undefined) valueInfo.set(info.name ?? "", readValueInfo(info, "value"));
  }
  return {
    name: message.name ?? "",
    // Before IR version 4 every initializer had to be listed as an input as well, and is a constant all the same.
    inputs: source.irVersion < 4 ? inputs.filter((input) => !initializers.has(input.name)) : inputs,
    outputs: (message.output ?? []).map((info) => (source.outputs === "cut" ? readSubgraphValue : read)(info, "output")),
    initializers,
    nodes: (message.node ?? []).map((node) => roundingWhereLike(narrow, readNode(node, source))),
    valueInfo,
  };
}

function readInitializers(message: Messages["Graph"], { budget, external }: Source): Map<string, Tensor> {
  const initializers = new Map<string, Tensor>();
  const add = (name: string, read: (what: string) => Tensor) => {
    if (name === "") throw new ModelError("The model has an initializer without a name; export it again.");
    if (initializers.has(name)) throw new ModelError(`The model has two initializers called "${name}"; names must be unique.`);
    initializers.set(name, read(`Initializer "${name}"`));
  };
  for (const tensor of message.initializer ?? []) add(tensor.name ?? "", (what) => readTensor(tensor, what, budget, external));
  for (const sparse of message.sparseInitializer ?? []) {
    add(sparse.values?.name ?? "", (what) => readSparseTensor(sparse, what, budget, external));
  }
  return initializers;
}

function readValueInfo(message: Messages["ValueInfo"], role: string): ValueInfo {
  const name = message.name ?? "";
  if (name === "") throw new ModelError(`The model has an ${role} without a name; export it again.`);
  const tensorType = message.type?.tensorType;
  if (tensorType === undefined) {
    throw new ModelError(`The ${role} "${name}" is not a tensor (or states no type), and Faultline works on tensors only.`);
  }
  const type = dataTypeOf(tensorType.elemType);
  if (type === undefined) {
    throw new ModelError(
      `The ${role} "${name}" is of type ${elementTypeName(tensorType.elemType)}, which Faultline does not work on.`,
    );
  }
  const shape = tensorType.shape?.dim?.map(({ dimValue, dimParam }) => {
    if (dimValue === undefined) return dimParam ?? "";
    if (!Number.isSafeInteger(dimValue)) throw new ModelError(`The ${role} "${name}" has the impossible dimension ${dimValue}.`);
    return dimValue < 0 ? "" : dimValue; // some exporters write -1 for "any"
  });
  return { name, type, shape: shape ?? (tensorType.shape === undefined ? undefined : []) };
}

/** A subgraph may leave the types of its inputs and outputs to inference; lists of tensors have the types of what is in them. */
function readSubgraphValue(message: Messages["ValueInfo"], role: string): ValueInfo {
  if (message.type?.tensorType === undefined)
    return { name: message.name ?? "", type: "float32", shape: undefined, typing: "inferred" };
  return readValueInfo(message, role);
}

function readNode(message: Messages["Node"], source: Source): OnnxNode {
  const node = {
    name: message.name ?? "",
    op: message.opType ?? "",
    domain: domainOf(message.domain),
    inputs: trimmed(message.input ?? []),
    outputs: trimmed(message.output ?? []),
  };
  if (node.op === "") throw new ModelError(`Node "${node.name}" states no operator; export the model again.`);
  const attributes: Record<string, Attribute> = {};
  for (const attribute of message.attribute ?? []) {
    const name = attribute.name ?? "";
    if (Object.hasOwn(attributes, name)) throw new ModelError(`${nodeTitle(node)} has the attribute "${name}" twice.`);
    const value = inReadType(node.op, name, readAttribute(attribute, nodeTitle(node), source));
    Object.defineProperty(attributes, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return { ...node, attributes };
}

/** What a node makes of bfloat16 in the file is float32 here, as tensors of that type are (see `dataTypeOf`); but a Cast to it rounds. */
function inReadType(op: string, name: string, attribute: Attribute): Attribute {
  if (attribute.kind !== "int" || !isBfloat16(attribute.value) || !typeAttributes.has(name) || op === "Cast") return attribute;
  return { kind: "int", value: elementTypes.indexOf("float32") };
}

/** CastLike takes its type from a value; where that is stated to be bfloat16, which no value here tells any more, it is a Cast to it. */
function roundingWhereLike(narrow: ReadonlySet<string>, node: OnnxNode): OnnxNode {
  const target = node.inputs[1] ?? "";
  if (node.op !== "CastLike" || node.domain !== "" || !narrow.has(target)) return node;
  return { ...node, op: "Cast", inputs: node.inputs.slice(0, 1), attributes: toBfloat16 };
}

/** Optional arguments left out at the end carry no information. */
function trimmed(names: readonly string[]): readonly string[] {
  let length = names.length;
  while (length > 0 && names[length - 1] === "") length--;
  return length === names.length ? names : names.slice(0, length);
}

function readAttribute(message: Messages["Attribute"], node: string, source: Source): Attribute {
  const what = `Attribute "${message.name ?? ""}" of ${node}`;
  if (message.refAttrName)
    throw new ModelError(`${what} refers to an attribute of a function, but stands in none; export the model again.`);
  const kind = attributeTypes[message.type ?? 0] ?? `of type number ${message.type}`;
  switch (kind === "undefined" ? kindByContent(message) : kind) {
    case "float":
      return { kind: "float", value: message.f ?? 0 };
    case "int":
      return { kind: "int", value: message.i ?? 0 };
    case "string":
      return { kind: "string", value: text(message.s) };
    case "floats":
      return { kind: "floats", value: message.floats ?? [] };
    case "ints":
      return { kind: "ints", value: message.ints ?? [] };
    case "strings":
      return { kind: "strings", value: (message.strings ?? []).map(text) };
    case "tensor":
      return { kind: "tensor", value: readTensor(message.t ?? {}, what, source.budget, source.external) };
    case "sparse tensor":
      return { kind: "tensor", value: readSparseTensor(message.sparseTensor ?? {}, what, source.budget, source.external) };
    case "graph":
      return { kind: "graph", value: readGraph(message.g ?? {}, source, "subgraph") };
    default:
      throw new ModelError(`${what} is a list or type (${kind}) that Faultline does not read.`);
  }
}

/** Files of the first IR version do not state the kind. */
function kindByContent(message: Messages["Attribute"]): (typeof attributeTypes)[number] {
  if (message.f !== undefined) return "float";
  if (message.i !== undefined) return "int";
  if (message.s !== undefined) return "string";
  if (message.t !== undefined) return "tensor";
  if (message.g !== undefined) return "graph";
  if (message.floats !== undefined) return "floats";
  if (message.strings !== undefined) return "strings";
  return "ints";
}

const decoder = new TextDecoder();

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : decoder.decode(bytes);
}
