/**
 * The cases that the ONNX project ships for those who write a backend: a model, inputs, and the outputs that its reference implementation has.
 * They lie in the Python package `onnx` 1.16 to 1.19 (backend/test/data); .ci/run fetches it, docs/models.md says how to do it by hand.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { defaultLimits } from "../../src/engine/onnx/limits.js";
import { elementTypes, type Messages } from "../../src/engine/onnx/schema.js";
import { dataTypeOf, readTensor } from "../../src/engine/onnx/tensor-data.js";
import { decode, encode } from "../../src/engine/onnx/wire.js";
import { describe, type Tensor } from "../../src/engine/tensor/tensor.js";

export const groups = ["node", "simple", "pytorch-converted", "pytorch-operator"] as const;

export interface BackendCase {
  /** For example "node/test_relu". */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly expected: Readonly<Record<string, Tensor>>;
}

/** What a case has that no tensor of ours or of ONNX Runtime's Node binding holds. */
export class NotReadable extends Error {}

/** The folder with the groups: `FAULTLINE_ONNX_DATA`, or where .ci/run puts it. */
export function dataFolder(): string | undefined {
  const candidates = [process.env.FAULTLINE_ONNX_DATA, join(homedir(), ".cache/faultline/onnx/onnx/backend/test/data")];
  return candidates.find((folder) => folder !== undefined && existsSync(join(folder, "node")));
}

export function caseNames(folder: string, group: (typeof groups)[number]): string[] {
  const path = join(folder, group);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => existsSync(join(path, name, "model.onnx")))
    .sort()
    .map((name) => `${group}/${name}`);
}

const wire = { messages: defaultLimits.entries, depth: defaultLimits.depth, unpackedBytes: defaultLimits.bytes };

/** @throws NotReadable where inputs or outputs are no tensors, or of an element type that nothing here holds. */
export function readCase(folder: string, name: string): BackendCase {
  const bytes = new Uint8Array(readFileSync(join(folder, name, "model.onnx")));
  const graph = decode(bytes, "Model", wire).graph!;
  const constants = new Set(graph.initializer?.map((t) => t.name));
  const inputs = (graph.input ?? []).filter((input) => !constants.has(input.name));
  const read = (kind: "input" | "output", values: readonly Messages["ValueInfo"][]) =>
    Object.fromEntries(
      values.flatMap((value, i) => {
        const path = join(folder, name, "test_data_set_0", `${kind}_${i}.pb`);
        return existsSync(path) ? [[value.name ?? "", readTensorFile(path, value)] as const] : [];
      }),
    );
  return { name, bytes, feeds: read("input", inputs), expected: read("output", graph.output ?? []) };
}

function readTensorFile(path: string, value: Messages["ValueInfo"]): Tensor {
  if (value.type?.tensorType === undefined) throw new NotReadable("sequences and optional values");
  const message = decode(new Uint8Array(readFileSync(path)), "Tensor", wire);
  const stored = elementTypes[message.dataType ?? 0] ?? "unknown";
  // 4-bit integers and bfloat16 are held in wider types here, which ONNX Runtime's binding does not take for them.
  if (dataTypeOf(message.dataType) !== stored) throw new NotReadable(`tensors of ${stored}`);
  return readTensor(message, path, { inside: defaultLimits.bytes, outside: 0 }, undefined);
}

/**
 * The model with some of its inputs made constants of the file: the cases feed shapes, axes and thresholds as if they were data, which no
 * model does that people ship.
 */
export function withConstants({ bytes, feeds }: BackendCase, names: readonly string[]): Uint8Array {
  const model = decode(bytes, "Model", wire);
  const graph = model.graph!;
  const initializer = [...(graph.initializer ?? []), ...names.map((name) => tensorMessage(name, feeds[name]!))];
  const input = graph.input?.filter((value) => !names.includes(value.name ?? ""));
  return encode("Model", { ...model, graph: { ...graph, ...(input && { input }), initializer } });
}

function tensorMessage(name: string, t: Tensor): Messages["Tensor"] {
  const dataType = elementTypes.indexOf(t.type);
  if (dataType < 0) throw new Error(`${describe(t)} has no number in the format.`);
  const rawData = new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
  return { name, dims: [...t.shape], dataType, rawData };
}
