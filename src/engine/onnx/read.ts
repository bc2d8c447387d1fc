import { holdsBfloat16 } from "./bfloat16.js";
import { checkGraph, nodeTitle, subgraphs } from "./check.js";
import { cutGraph } from "./cut.js";
import { domainOf, readGraph } from "./from-message.js";
import { inlineFunctions } from "./functions.js";
import { defaultLimits, type Limits } from "./limits.js";
import {
  canonicalIrVersion,
  canonicalOpset,
  ModelError,
  newestOpset,
  type OnnxGraph,
  type OnnxModel,
  oldestOpset,
} from "./model.js";
import type { Messages } from "./schema.js";
import type { ExternalData } from "./tensor-data.js";
import { decode, type WireLimits } from "./wire.js";

export interface ReadOptions {
  /**
   * Yields bytes of a file with external data. `location` is relative to the model's folder and was checked to stay inside it.
   * Without this, a model with external data is refused.
   */
  readonly externalData?: ExternalData;
  readonly limits?: Limits;
  /** Names of values of the file, inner ones too, to be the outputs: the model is cut there, and nothing beyond is read. */
  readonly outputs?: readonly string[];
}

/**
 * Reads an ONNX file of opset 7 to 24: functions inlined, nodes in topological order, every name defined once. Nodes stay as they are in the
 * file's opset.
 *
 * Nothing is allocated on the word of the file: memory is in proportion to the bytes given, and within `limits`.
 *
 * @example const model = parseModel(new Uint8Array(await file.arrayBuffer()));
 * @throws ModelError with one sentence that says what is wrong, where, and what to do.
 */
export function parseModel(bytes: Uint8Array, options: ReadOptions = {}): OnnxModel {
  const limits = options.limits ?? defaultLimits;
  refuseOtherFormats(bytes, limits);
  const message = decode(bytes, "Model", wireLimits(limits));
  if (message.graph === undefined)
    throw new ModelError("The file holds no graph, so it is not an ONNX model; check that it is the right file.");
  const opsets = readOpsets(message);
  const source = {
    irVersion: message.irVersion ?? 0,
    budget: { inside: limits.bytes, outside: limits.externalBytes },
    external: options.externalData,
    outputs: options.outputs ? ("cut" as const) : ("stated" as const),
  };
  if (opsets.default < oldestOpset || opsets.default > newestOpset) {
    throw new ModelError(
      `The model is written for opset ${opsets.default}, and Faultline reads ${oldestOpset} to ${newestOpset}; export it with opset ${canonicalOpset}.`,
    );
  }
  const inlined = inlineFunctions(message.graph, message.functions ?? [], opsets.default, limits.nodes);
  const graph = checkGraph(readGraph(options.outputs ? cutGraph(inlined, options.outputs) : inlined, source));
  return {
    irVersion: canonicalIrVersion,
    opset: opsets.default,
    customOpsets: withImplied(graph, opsets.custom),
    producer: [message.producerName, message.producerVersion].filter(Boolean).join(" "),
    graph,
    ...(holdsBfloat16(inlined) && { widened: "bfloat16" as const }),
    metadata: Object.fromEntries((message.metadataProps ?? []).map(({ key, value }) => [key ?? "", value ?? ""])),
  };
}

/** What of the limits is about the file's own form. */
export const wireLimits = ({ entries, depth, bytes }: Limits): WireLimits => ({ messages: entries, depth, unpackedBytes: bytes });

/**
 * Operator sets that ONNX Runtime 1.30 has without being asked, in the version that it takes where a file does not import them: the newest. Its
 * transformer optimizer writes files that do not import com.microsoft.
 */
const implied: ReadonlyMap<string, number> = new Map([
  ["ai.onnx.ml", 5],
  ["com.microsoft", 1],
  ["com.microsoft.nchwc", 1],
]);

/**
 * The versions of operator sets, with those of sets that are used and need not be imported.
 *
 * @throws ModelError for a node of another operator set that the model does not import.
 */
function withImplied(graph: OnnxGraph, opsets: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const used = new Map(Object.entries(opsets));
  const visit = ({ nodes }: OnnxGraph): void => {
    for (const node of nodes) {
      if (node.domain !== "" && !used.has(node.domain)) {
        const version = implied.get(node.domain);
        if (version === undefined)
          throw new ModelError(
            `${nodeTitle(node)} is of the operator set "${node.domain}", which the model does not import; export it again.`,
          );
        used.set(node.domain, version);
      }
      for (const inner of subgraphs(node)) visit(inner);
    }
  };
  visit(graph);
  return Object.fromEntries(used);
}

/** Functions may import operator sets of their own, which their bodies bring along. */
function readOpsets(message: Messages["Model"]): { default: number; custom: Record<string, number> } {
  const custom = new Map<string, number>();
  for (const { opsetImport } of message.functions ?? [])
    for (const { domain, version } of opsetImport ?? []) custom.set(domainOf(domain), version ?? 0);
  for (const { domain, version } of message.opsetImport ?? []) custom.set(domainOf(domain), version ?? 0);
  // ONNX Runtime takes the newest version of a set that the file does not name
  const standard = message.opsetImport?.find(({ domain }) => domainOf(domain) === "")?.version;
  custom.delete("");
  return { default: standard ?? newestOpset, custom: Object.fromEntries(custom) };
}

/** The mistakes that people make with model files, told apart from damage. */
function refuseOtherFormats(bytes: Uint8Array, limits: Limits): void {
  if (bytes.length === 0) throw new ModelError("The model file is empty; fetch or export it again.");
  if (bytes.length > limits.bytes) {
    const gigabytes = (bytes.length / 1e9).toFixed(1);
    throw new ModelError(
      `The model file takes ${gigabytes} GB, and an ONNX file holds at most 2 GB; keep its weights as external data.`,
    );
  }
  const start = new TextDecoder().decode(bytes.subarray(0, 64));
  if (start.startsWith("version https://git-lfs")) {
    throw new ModelError("The file is a Git LFS pointer, not the model itself; fetch it with `git lfs pull`.");
  }
  if (/^\s*<(!doctype|html|\?xml)/i.test(start)) {
    throw new ModelError("The file is a web page, not an ONNX model; the download link probably leads to a page about it.");
  }
}
