import { copyNodes, neededNodes } from "../../engine/graph/copy.js";
import { bytesOf, flops } from "../../engine/graph/cost.js";
import { Graph, type Node, type Value } from "../../engine/graph/graph.js";
import { isWeighted, type Layer } from "./layer.js";

/** A run of the model's nodes [from, to), as numbers in the list of those that its outputs need. */
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
  /** In the order in which they run. */
  readonly nodes: readonly Node[];
  readonly segments: readonly Range[];
  /** For each layer (as given) the segments that read its parameters, in order. */
  readonly segmentsOf: readonly (readonly number[])[];
  /** Values that a segment and those after it (or the outputs) need from before; one entry more than segments. */
  readonly entering: readonly ReadonlySet<Value>[];
}

/**
 * Arithmetic in the time that one byte of weights takes to fold, write and load, and one session however small: measured with ResNet-50
 * (100 MB in 510 ms, 33 GFLOP run in 67 ms).
 */
const compiling = { perByte: 2500, perSession: 3e9 };
/** How much longer a segment takes with weights as inputs (ResNet-50, batch normalization folded in the graph). */
const openness = 1.25;

/**
 * Cuts where resetting every layer `runs` times costs least. A reset costs its own segment with weights as inputs and all that follows;
 * a segment costs compiling two programs, itself and what follows. Shorter segments waste less of what stands before the layer.
 *
 * @param runs resets of a layer times batches.
 */
export function cutModel(graph: Graph, layers: readonly Layer[], runs: number): Cut {
  const nodes = neededNodes(graph.outputs.values());
  const places = cutPlaces(nodes, layers);
  const piecesOf = layers.map((layer) => {
    const names = new Set(layer.parameters.map((p) => p.name));
    const readers = nodes.flatMap((node, i) => (node.inputs.some((v) => v && names.has(v.name)) ? [i] : []));
    return readers.map((i) => places.findLastIndex((place) => place <= i));
  });
  const ends = cheapestCuts(pieceCosts(graph, nodes, places, piecesOf), runs);
  const segments = ends.map((end, s): Range => ({ from: places[ends[s - 1] ?? 0]!, to: places[end] ?? nodes.length }));
  const segmentOf = (piece: number) => ends.findIndex((end) => piece < end);
  return {
    nodes,
    segments,
    segmentsOf: piecesOf.map((pieces) => [...new Set(pieces.map(segmentOf))].sort((a, b) => a - b)),
    entering: [...segments.map((s) => s.from), nodes.length].map((at) => aliveAt(graph, nodes, at)),
  };
}

/** Bytes that one batch occupies at most while its activations wait at one cut and are moved to the next, wherever the cuts are. */
export function bytesPerBatch(graph: Graph, layers: readonly Layer[]): number {
  const nodes = neededNodes(graph.outputs.values());
  return 2 * Math.max(...cutPlaces(nodes, layers).map((at) => bytesOfAll(aliveAt(graph, nodes, at))));
}

/** Nodes before which the model may be cut, the first included. */
function cutPlaces(nodes: readonly Node[], layers: readonly Layer[]): number[] {
  const makers = new Map(nodes.flatMap((node, i) => node.outputs.map((v) => [v.name, i] as const)));
  const places = new Set([0]);
  for (const layer of layers.filter((l) => isWeighted(l.kind))) {
    for (const name of layer.reads.slice(0, 1)) places.add(makers.get(name)!);
    // a module that is applied again, or whose weight is read elsewhere, may be cut off there too
    const weight = layer.parameters[0]!.name;
    nodes.forEach((node, i) => node.inputs.some((v) => v?.name === weight) && places.add(i));
  }
  return [...places].sort((a, b) => a - b);
}

/** What lies between two neighboring places where the model may be cut. */
interface PieceCost {
  /** Arithmetic; a byte moved counts like 8 operations. */
  readonly work: number;
  /** The same of the values that enter the piece. */
  readonly entering: number;
  readonly weightBytes: number;
  /** Layers that it is the first to read. */
  readonly layers: number;
}

function pieceCosts(
  graph: Graph,
  nodes: readonly Node[],
  places: readonly number[],
  piecesOf: readonly (readonly number[])[],
): PieceCost[] {
  return places.map((from, piece) => {
    const own = nodes.slice(from, places[piece + 1] ?? nodes.length);
    const weights = new Set(own.flatMap((node) => node.inputs.filter((v) => v?.constant)));
    return {
      work: own.reduce((sum, node) => sum + flops(node) + 8 * bytesOf(node.outputs[0]!), 0),
      entering: 8 * bytesOfAll(aliveAt(graph, nodes, from)),
      weightBytes: [...weights].reduce((sum, v) => sum + bytesOf(v!), 0),
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

/** Values made before node `at` (inputs included) that nodes from `at` on, or the outputs, read. */
function aliveAt(graph: Graph, nodes: readonly Node[], at: number): Set<Value> {
  const made = new Set([...graph.inputs, ...nodes.slice(0, at).flatMap((node) => node.outputs)]);
  const read = [...nodes.slice(at).flatMap((node) => node.inputs), ...graph.outputs.values()];
  return new Set(read.filter((v): v is Value => v !== undefined && made.has(v)));
}

const bytesOfAll = (values: Iterable<Value>): number => [...values].reduce((sum, v) => sum + bytesOf(v), 0);

/**
 * Nodes as a graph of their own: inputs are what they read from before and the weights in `asInputs`, outputs what is needed after, all by
 * the names of the values.
 */
export function graphOfNodes(
  nodes: readonly Node[],
  after: ReadonlySet<Value>,
  asInputs: ReadonlySet<string> = new Set(),
): Graph {
  const part = new Graph();
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const moved = new Map<Value, Value>();
  for (const v of nodes.flatMap((node) => node.inputs)) {
    if (!v || made.has(v) || moved.has(v)) continue;
    if (!v.constant || asInputs.has(v.name)) moved.set(v, part.input(v.name, v.type, v.shape));
  }
  const move = copyNodes(nodes, part, moved);
  for (const v of made) if (after.has(v)) part.output(v.name, move(v));
  return part;
}
