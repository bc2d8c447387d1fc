import { subgraphs } from "./check.js";
import { toLowestOpset, toOpset17 } from "./convert/to-17.js";
import {
  type Attribute,
  canonicalIrVersion,
  canonicalOpset,
  ModelError,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type ValueInfo,
} from "./model.js";
import { attributeTypes, elementTypes, type Messages } from "./schema.js";
import { tensorMessage } from "./tensor-data.js";
import { encode } from "./wire.js";

const largestFile = 2 ** 31 - 1;

export interface WriteOptions {
  /**
   * Default "lowest": 17, which tools from before 2023 read too, where it can represent the model, and 18 otherwise. With 17 a model that
   * uses what opset 18 added is refused.
   */
  readonly opset?: 17 | 18 | "lowest";
}

/**
 * Writes a model as an ONNX file, weights inside.
 *
 * @example await writeFile("gradient.onnx", writeModel(gradient));
 * @throws ModelError when the weights take more than the 2 GB that an ONNX file holds.
 */
export function writeModel(canonical: OnnxModel, options: WriteOptions = {}): Uint8Array {
  const model = canonical.opset === canonicalOpset ? atOpset(canonical, options.opset ?? "lowest") : canonical;
  const bytes = tensorBytes(model.graph);
  if (bytes > largestFile) {
    throw new ModelError(
      `The model holds ${(bytes / 1e9).toFixed(1)} GB of weights, and an ONNX file holds at most 2 GB; use a smaller variant.`,
    );
  }
  const file = encode("Model", {
    irVersion: canonicalIrVersion,
    producerName: model.producer,
    opsetImport: [
      { domain: "", version: model.opset },
      ...Object.entries(model.customOpsets).map(([domain, version]) => ({ domain, version })),
    ],
    graph: graphMessage(model.graph),
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
  });
  if (file.length > largestFile)
    throw new ModelError("The model takes more than the 2 GB that an ONNX file holds; use a smaller variant.");
  return file;
}

function atOpset(model: OnnxModel, opset: 17 | 18 | "lowest"): OnnxModel {
  switch (opset) {
    case 17:
      return toOpset17(model);
    case 18:
      return model;
    case "lowest":
      return toLowestOpset(model);
  }
}

function tensorBytes(graph: OnnxGraph): number {
  let bytes = 0;
  for (const tensor of graph.initializers.values()) bytes += tensor.data.byteLength;
  for (const node of graph.nodes) {
    for (const inner of subgraphs(node)) bytes += tensorBytes(inner);
    for (const attribute of Object.values(node.attributes))
      if (attribute.kind === "tensor") bytes += attribute.value.data.byteLength;
  }
  return bytes;
}

function graphMessage(graph: OnnxGraph): Messages["Graph"] {
  return {
    name: graph.name === "" ? "graph" : graph.name,
    node: graph.nodes.map(nodeMessage),
    initializer: [...graph.initializers].map(([name, tensor]) => tensorMessage(tensor, name)),
    input: graph.inputs.map(valueInfoMessage),
    output: graph.outputs.map(valueInfoMessage),
    valueInfo: [...graph.valueInfo.values()].map(valueInfoMessage),
  };
}

function valueInfoMessage({ name, type, shape, typing }: ValueInfo): Messages["ValueInfo"] {
  if (typing === "inferred") return { name };
  const dim = shape?.map((d) => (typeof d === "number" ? { dimValue: d } : d === "" ? {} : { dimParam: d }));
  const elemType = elementTypes.indexOf(type);
  return { name, type: { tensorType: dim === undefined ? { elemType } : { elemType, shape: { dim } } } };
}

function nodeMessage(node: OnnxNode): Messages["Node"] {
  return {
    name: node.name,
    opType: node.op,
    ...(node.domain === "" ? {} : { domain: node.domain }),
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes)
      .filter(([, attribute]) => node.domain !== "" || !isEmptyList(attribute))
      .map(([name, attribute]) => attributeMessage(name, attribute)),
  };
}

/** The wire format does not tell an empty list from a missing one, and onnx.checker wants it missing. */
function isEmptyList(attribute: Attribute): boolean {
  return Array.isArray(attribute.value) && attribute.value.length === 0;
}

const encoder = new TextEncoder();

function attributeMessage(name: string, attribute: Attribute): Messages["Attribute"] {
  const head = { name, type: attributeTypes.indexOf(attribute.kind) };
  switch (attribute.kind) {
    case "int":
      return { ...head, i: attribute.value };
    case "float":
      return { ...head, f: attribute.value };
    case "string":
      return { ...head, s: encoder.encode(attribute.value) };
    case "tensor":
      return { ...head, t: tensorMessage(attribute.value, "") };
    case "graph":
      return { ...head, g: graphMessage(attribute.value) };
    case "ints":
      return { ...head, ints: [...attribute.value] };
    case "floats":
      return { ...head, floats: [...attribute.value] };
    case "strings":
      return { ...head, strings: attribute.value.map((s) => encoder.encode(s)) };
  }
}
