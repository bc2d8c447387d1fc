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
 * A model cut into segments, each of which begins where a convolution or linear layer reads its input.
 *
 * A reset of a layer starts at its segment, with the activations that enter it, and goes on from its end with all the rest. Only the segment
 * takes weights as inputs; the rest has them as constants, which ONNX Runtime packs and fuses.
 */
export interface Cut {
  readonly model: OnnxModel;
  readonly segments: readonly Range[];
  /** For each layer (as given) the segments that read its parameters, in order. */
  readonly segmentsOf: readonly (readonly number[])[];
  /** Values that a segment and those after it (or the outputs) need from before; one entry more than segments. */
  readonly entering: readonly ReadonlySet<string>[];
}

/**
 * Arithmetic in the time that one byte of weights takes to fold, write and load, and one session however small: measured with ResNet-50
 * (100 MB in 510 ms, 33 GFLOP run in 67 ms).
 */
const compiling = { perByte: 2500, perSession: 3e9 };
/** How much longer a segment takes with weights as inputs (ResNet-50, batch normalisation folded in the graph). */
const openness = 1.25;

/**
 * Cuts where resetting every layer `runs` times costs least. A reset costs its own segment with weights as inputs and all that follows;
 * a segment costs compiling two programs, itself and what follows. Shorter segments waste less of what stands before the layer.
 *
 * @param runs resets of a layer times batches.
 */
export function cutModel(model: OnnxModel, layers: readonly Layer[], runs: number): Cut {
  const { nodes } = model.graph;
  const places = cutPlaces(model, layers);
  const piecesOf = layers.map((layer) => {
    const names = new Set(layer.parameters.map((p) => p.name));
    const readers = nodes.flatMap((node, i) => (node.inputs.some((name) => names.has(name)) ? [i] : []));
    return readers.map((i) => places.findLastIndex((place) => place <= i));
  });
  const ends = cheapestCuts(pieceCosts(model, places, piecesOf), runs);
  const segments = ends.map((end, s): Range => ({ from: places[ends[s - 1] ?? 0]!, to: places[end] ?? nodes.length }));
  const segmentOf = (piece: number) => ends.findIndex((end) => piece < end);
  return {
    model,
    segments,
    segmentsOf: piecesOf.map((pieces) => [...new Set(pieces.map(segmentOf))].sort((a, b) => a - b)),
    entering: [...segments.map((s) => s.from), nodes.length].map((at) => aliveAt(model, at)),
  };
}

/** Bytes that one batch occupies at most while its activations wait at one cut and are moved to the next, wherever the cuts are. */
export function bytesPerBatch(model: OnnxModel, layers: readonly Layer[]): number {
  return 2 * Math.max(...cutPlaces(model, layers).map((at) => bytesOf(model, aliveAt(model, at))));
}

/** Nodes before which the model may be cut, the first included. */
function cutPlaces(model: OnnxModel, layers: readonly Layer[]): number[] {
  const { nodes } = model.graph;
  const makers = new Map(nodes.flatMap((node, i) => node.outputs.map((name) => [name, i] as const)));
  const places = new Set([0]);
  for (const layer of layers.filter((l) => isWeighted(l.kind))) {
    for (const name of layer.reads.slice(0, 1)) places.add(makers.get(name)!);
    // a module that is applied again, or whose weight is read elsewhere, may be cut off there too
    const weight = layer.parameters[0]!.name;
    nodes.forEach((node, i) => node.inputs.includes(weight) && places.add(i));
  }
  return [...places].sort((a, b) => a - b);
}

/** What lies between two neighbouring places where the model may be cut. */
interface PieceCost {
  /** Arithmetic; a byte moved counts like 8 operations. */
  readonly work: number;
  /** The same of the values that enter the piece. */
  readonly entering: number;
  readonly weightBytes: number;
  /** Layers that it is the first to read. */
  readonly layers: number;
}

function pieceCosts(model: OnnxModel, places: readonly number[], piecesOf: readonly (readonly number[])[]): PieceCost[] {
  const { nodes, initializers } = model.graph;
  const byOutput = new Map(graphOf(model).nodes.flatMap((node) => node.outputs.map((v) => [v.name, node] as const)));
  const info = infoOf(model);
  return places.map((from, piece) => {
    const own = nodes.slice(from, places[piece + 1] ?? nodes.length);
    const work = own.map((node) => {
      const known = byOutput.get(node.outputs[0]!);
      return (known ? flops(known) : 0) + 8 * bytesOfValue(info(node.outputs[0]!));
    });
    const weights = new Set(own.flatMap(namesRead).filter((name) => initializers.has(name)));
    return {
      work: work.reduce((a, b) => a + b, 0),
      entering: 8 * bytesOf(model, aliveAt(model, from)),
      weightBytes: [...weights].reduce((sum, name) => sum + bytesOfValue(initializers.get(name)!), 0),
      layers: piecesOf.filter((pieces) => Math.min(...pieces) === piece).length,
    };
  });
}

/** Ends of the segments, in numbers of pieces: the cheapest way to cut, found from the end backwards. */
function cheapestCuts(pieces: readonly PieceCost[], runs: number): number[] {
  const n = pieces.length;
  const rest: PieceCost[] = [{ work: 0, entering: 0, weightBytes: 0, layers: 0 }];
  for (const piece of [...pieces].reverse()) {
    const after = rest[0]!;
    const { work, weightBytes, layers } = piece;
    rest.unshift({
      work: after.work + work,
      entering: piece.entering,
      weightBytes: after.weightBytes + weightBytes,
      layers: after.layers + layers,
    });
  }
  const best: { readonly cost: number; readonly end: number }[] = Array.from({ length: n + 1 }, (_, i) => ({
    cost: i === n ? 0 : Number.POSITIVE_INFINITY,
    end: n,
  }));
  for (let from = n - 1; from >= 0; from--) {
    for (let to = from + 1; to <= n; to++) {
      const [start, end] = [rest[from]!, rest[to]!];
      const reset = openness * (start.work - end.work) + end.work + end.entering;
      const cost =
        runs * (start.layers - end.layers) * reset +
        compiling.perByte * start.weightBytes +
        2 * compiling.perSession +
        best[to]!.cost;
      if (cost < best[from]!.cost) best[from] = { cost, end: to };
    }
  }
  const ends: number[] = [];
  for (let at = 0; at < n; at = best[at]!.end) ends.push(best[at]!.end);
  return ends;
}

/** Names made before node `at` (inputs included) that nodes from `at` on, or the outputs, read. */
function aliveAt({ graph }: OnnxModel, at: number): Set<string> {
  const made = new Set([...graph.inputs.map((i) => i.name), ...graph.nodes.slice(0, at).flatMap((node) => node.outputs)]);
  const alive = new Set<string>();
  for (const node of graph.nodes.slice(at)) for (const name of namesRead(node)) if (made.has(name)) alive.add(name);
  for (const { name } of graph.outputs) if (made.has(name)) alive.add(name);
  return alive;
}

const bytesOfValue = ({ shape, type }: Pick<ValueInfo, "shape" | "type">): number =>
  sizeOf(shape as Shape) * bytesPerElement(type);

function bytesOf(model: OnnxModel, names: ReadonlySet<string>): number {
  const info = infoOf(model);
  return [...names].reduce((sum, name) => sum + bytesOfValue(info(name)), 0);
}

function infoOf({ graph }: OnnxModel): (name: string) => ValueInfo {
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
