import { graphOf } from "../../engine/compile/rewrite.js";
import { namesRead } from "../../engine/onnx/check.js";
import type { OnnxModel, OnnxNode, ValueInfo } from "../../engine/onnx/model.js";
import { flops } from "../../engine/summary/cost.js";
import { bytesPerElement, type Shape, sizeOf, type Tensor } from "../../engine/tensor/tensor.js";
import { isWeighted, type Layer } from "./layer.js";

/** A run of the model's nodes [from, to), as numbers in the model's list. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * A model cut twice: into pieces, each of which begins where a convolution or linear layer reads its input, and into a handful of segments of
 * consecutive pieces of about equal work, cut where little data crosses.
 *
 * A reset of a layer starts at its piece with the activations that enter it, goes on piece by piece to the end of the segment, and from there
 * segment by segment. Only the piece itself takes weights as inputs; all else has them as constants, which ONNX Runtime packs and fuses
 * (a 3x3 convolution with weights as input takes about four times as long).
 */
export interface Cut {
  readonly model: OnnxModel;
  readonly pieces: readonly Range[];
  /** In numbers of pieces. */
  readonly segments: readonly Range[];
  /** For each layer (as given) the pieces that read its parameters, in order. */
  readonly piecesOf: readonly (readonly number[])[];
  /** Values that later pieces (or the outputs) need, by the piece before which they must be there; one entry more than pieces. */
  readonly alive: readonly ReadonlySet<string>[];
  /** Bytes of those values. */
  readonly bytes: readonly number[];
}

/** Segments wanted: more of them save more of a segment's rest per reset, but each is a session, and data is repacked at each cut. */
const segmentsWanted = 16;

export function cutModel(model: OnnxModel, layers: readonly Layer[]): Cut {
  const { nodes } = model.graph;
  const makers = new Map(nodes.flatMap((node, i) => node.outputs.map((name) => [name, i] as const)));
  const starts = new Set([0]);
  for (const layer of layers)
    if (isWeighted(layer.kind)) for (const name of layer.reads.slice(0, 1)) starts.add(makers.get(name)!);
  // a module that is applied again, or whose weight is read elsewhere, starts a piece there too
  for (const layer of layers) {
    const weight = layer.parameters[0]!.name;
    if (isWeighted(layer.kind)) nodes.forEach((node, i) => node.inputs.includes(weight) && starts.add(i));
  }
  const cuts = [...starts].sort((a, b) => a - b);
  const pieces = cuts.map((from, i): Range => ({ from, to: cuts[i + 1] ?? nodes.length }));
  const alive = [...cuts, nodes.length].map((at) => aliveAt(model, at));
  const info = infoOf(model);
  const bytes = alive.map((names) =>
    [...names].reduce((sum, name) => sum + sizeOf(info(name).shape as Shape) * bytesPerElement(info(name).type), 0),
  );
  const pieceOf = new Map(
    pieces.flatMap(({ from, to }, p) => Array.from({ length: to - from }, (_, i) => [from + i, p] as const)),
  );
  const piecesOf = layers.map(({ parameters }) => {
    const names = new Set(parameters.map((p) => p.name));
    const found = nodes.flatMap((node, i) => (node.inputs.some((name) => names.has(name)) ? [pieceOf.get(i)!] : []));
    return [...new Set(found)].sort((a, b) => a - b);
  });
  return { model, pieces, segments: chooseSegments(pieces, workOf(model), bytes), piecesOf, alive, bytes };
}

/** Names made before node `at` (inputs included) that nodes from `at` on, or the outputs, read. */
function aliveAt({ graph }: OnnxModel, at: number): Set<string> {
  const made = new Set([...graph.inputs.map((i) => i.name), ...graph.nodes.slice(0, at).flatMap((node) => node.outputs)]);
  const alive = new Set<string>();
  for (const node of graph.nodes.slice(at)) for (const name of namesRead(node)) if (made.has(name)) alive.add(name);
  for (const { name } of graph.outputs) if (made.has(name)) alive.add(name);
  return alive;
}

/** Work of each node: its arithmetic, and what it moves (memory traffic counts like 8 operations for a byte). */
function workOf(model: OnnxModel): number[] {
  const graph = graphOf(model);
  const byOutput = new Map(graph.nodes.flatMap((node) => node.outputs.map((v) => [v.name, node] as const)));
  const info = infoOf(model);
  return model.graph.nodes.map((node) => {
    const known = byOutput.get(node.outputs[0]!);
    const moved = sizeOf(info(node.outputs[0]!).shape as Shape) * bytesPerElement(info(node.outputs[0]!).type);
    return (known ? flops(known) : 0) + 8 * moved;
  });
}

/** Goes through the pieces and ends a segment when it has its share of the work, at the place near by where least data crosses. */
function chooseSegments(pieces: readonly Range[], work: readonly number[], bytes: readonly number[]): Range[] {
  const perPiece = pieces.map(({ from, to }) => work.slice(from, to).reduce((a, b) => a + b, 0));
  const share = perPiece.reduce((a, b) => a + b, 0) / segmentsWanted;
  const segments: Range[] = [];
  for (let from = 0; from < pieces.length; ) {
    let best = pieces.length;
    for (let to = from + 1, done = 0; to <= pieces.length; to++) {
      done += perPiece[to - 1]!;
      if (done < 0.5 * share) continue;
      if (best === pieces.length || to === pieces.length || bytes[to]! < bytes[best]!) best = to;
      if (done > 1.5 * share) break;
    }
    segments.push({ from, to: best });
    from = best;
  }
  return segments;
}

export function infoOf({ graph }: OnnxModel): (name: string) => ValueInfo {
  const infos = new Map([
    ...graph.valueInfo,
    ...graph.inputs.map((i) => [i.name, i] as const),
    ...graph.outputs.map((o) => [o.name, o] as const),
  ]);
  return (name) => infos.get(name)!;
}

/**
 * Nodes [from, to) as a model of their own: inputs are what they read from before and the tensors in `asInputs`, outputs what is needed after.
 */
export function modelOfNodes(
  model: OnnxModel,
  { from, to }: Range,
  after: ReadonlySet<string>,
  asInputs: ReadonlySet<string> = new Set(),
): OnnxModel {
  const nodes: readonly OnnxNode[] = model.graph.nodes.slice(from, to);
  const info = infoOf(model);
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const initializers = new Map<string, Tensor>();
  const inputs = new Map<string, ValueInfo>();
  for (const name of new Set(nodes.flatMap(namesRead))) {
    if (name === "" || made.has(name)) continue;
    const stored = model.graph.initializers.get(name);
    if (!stored) inputs.set(name, info(name));
    else if (asInputs.has(name)) inputs.set(name, { name, type: stored.type, shape: stored.shape });
    else initializers.set(name, stored);
  }
  const outputs = [...made].filter((name) => after.has(name)).map(info);
  const valueInfo = new Map([...made].filter((name) => name !== "").map((name) => [name, info(name)]));
  return { ...model, graph: { ...model.graph, nodes, initializers, inputs: [...inputs.values()], outputs, valueInfo } };
}
