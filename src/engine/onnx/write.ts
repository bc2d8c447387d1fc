import type { Tensor } from "../tensor/tensor.js";
import { withCastsBack } from "./bfloat16.js";
import { subgraphs } from "./check.js";
import { type Chunks, join } from "./chunks.js";
import type { DataFiles } from "./data-files.js";
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
import { toLowestOpset, toOpset17 } from "./to-17.js";
import { encodeChunks } from "./wire.js";

/** What one message of the format may take. */
export const largestMessage = 2 ** 31 - 1;

/** Initializers of fewer bytes stay in the message in any case. */
const smallTensor = 1024;

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
 * @throws ModelError when the weights take more than the 2 GB that an ONNX file holds: `encodeModel` puts them beside it.
 */
export function writeModel(canonical: OnnxModel, options: WriteOptions = {}): Uint8Array<ArrayBuffer> {
  return join(encodeModel(canonical, options).message);
}

/** A model as it is stored: the message, and the weights that lie outside it, by the name of their file. */
export interface EncodedModel {
  readonly message: Chunks;
  readonly data: ReadonlyMap<string, Chunks>;
}

export interface EncodeOptions extends WriteOptions {
  /** Where weights go: into the message (default), or into files beside it. */
  readonly weights?: "inside" | DataFiles;
}

/**
 * Encodes a model without copying its weights: the chunks are views of them, good as long as they do not change.
 *
 * @example
 * const { message, data } = encodeModel(model, { weights: new OneDataFile("model.onnx.data") });
 * const blob = new Blob(message.chunks as BlobPart[]);
 * @throws ModelError when the message takes more than 2 GB.
 */
export function encodeModel(canonical: OnnxModel, { opset, weights = "inside" }: EncodeOptions = {}): EncodedModel {
  const model = canonical.opset === canonicalOpset ? atOpset(canonical, opset ?? "lowest") : canonical;
  const inside = weights === "inside" ? tensorBytes(model.graph) : 0;
  if (inside > largestMessage) {
    throw new ModelError(
      `The model holds ${(inside / 1e9).toFixed(1)} GB of weights, and an ONNX file holds at most 2 GB; write them as external data.`,
    );
  }
  const files = weights === "inside" ? undefined : weights;
  const message = encodeChunks("Model", {
    irVersion: canonicalIrVersion,
    producerName: model.producer,
    opsetImport: [
      { domain: "", version: model.opset },
      ...Object.entries(model.customOpsets).map(([domain, version]) => ({ domain, version })),
    ],
    graph: graphMessage(model.graph, files),
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
  });
  if (message.length > largestMessage)
    throw new ModelError(
      "The model takes more than the 2 GB that an ONNX file holds, even without its weights; use a smaller variant.",
    );
  return { message, data: files?.files() ?? new Map() };
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

/** Bytes of all tensors of a graph and of the graphs in it. */
export function tensorBytes(graph: OnnxGraph): number {
  let bytes = 0;
  for (const tensor of graph.initializers.values()) bytes += tensor.data.byteLength;
  for (const node of graph.nodes) {
    for (const inner of subgraphs(node)) bytes += tensorBytes(inner);
    for (const attribute of Object.values(node.attributes))
      if (attribute.kind === "tensor") bytes += attribute.value.data.byteLength;
  }
  return bytes;
}

function graphMessage(graph: OnnxGraph, files: DataFiles | undefined): Messages["Graph"] {
  return {
    name: graph.name === "" ? "graph" : graph.name,
    node: withCastsBack(graph).map((node) => nodeMessage(node, files)),
    initializer: [...graph.initializers].map(([name, tensor]) => initializerMessage(name, tensor, files)),
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

function initializerMessage(name: string, tensor: Tensor, files: DataFiles | undefined): Messages["Tensor"] {
  const { rawData, ...rest } = tensorMessage(tensor, name);
  // Small tensors stay: readers want shapes and axes at hand, and a file's page is 4 KiB.
  if (!files || rawData!.length < smallTensor) return { ...rest, rawData: rawData! };
  const { location, offset } = files.place(rawData!);
  const entries = { location, offset: String(offset), length: String(rawData!.length) };
  return { ...rest, externalData: Object.entries(entries).map(([key, value]) => ({ key, value })), dataLocation: 1 };
}

function nodeMessage(node: OnnxNode, files: DataFiles | undefined): Messages["Node"] {
  return {
    name: node.name,
    opType: node.op,
    ...(node.domain === "" ? {} : { domain: node.domain }),
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes)
      .filter(([, attribute]) => node.domain !== "" || !isEmptyList(attribute))
      .map(([name, attribute]) => attributeMessage(name, attribute, files)),
  };
}

/** The wire format does not tell an empty list from a missing one, and onnx.checker wants it missing. */
function isEmptyList(attribute: Attribute): boolean {
  return Array.isArray(attribute.value) && attribute.value.length === 0;
}

const encoder = new TextEncoder();

function attributeMessage(name: string, attribute: Attribute, files: DataFiles | undefined): Messages["Attribute"] {
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
      return { ...head, g: graphMessage(attribute.value, files) };
    case "ints":
      return { ...head, ints: [...attribute.value] };
    case "floats":
      return { ...head, floats: [...attribute.value] };
    case "strings":
      return { ...head, strings: attribute.value.map((s) => encoder.encode(s)) };
  }
}
