import type { Graph, Node } from "../../engine/graph/graph.js";
import { nodeLabel } from "../../engine/graph/operator.js";
import { stridedAveragePool } from "./average-pool.js";
import type { Form, Found } from "./form.js";
import { stridedMaxPool } from "./max-pool.js";
import { pixelShuffle } from "./pixel-shuffle.js";
import { enlargingResize, shrinkingResize } from "./resize.js";
import { stridedConvolution } from "./strided-convolution.js";
import { stridedIntegerConvolution } from "./strided-integer-convolution.js";
import { transposedConvolution } from "./transposed-convolution.js";

export { type DownForm, type Form, type Found, Left, type Sides, type Transposed, type UpForm } from "./form.js";

export { remedy } from "./window.js";

/** Every way in which models change the resolution of a map that is looked for. */
export const forms: readonly Form[] = [
  stridedConvolution,
  stridedIntegerConvolution,
  stridedMaxPool,
  stridedAveragePool,
  shrinkingResize,
  enlargingResize,
  transposedConvolution,
  pixelShuffle,
];

/** A node of a graph that changes the resolution. */
export interface Place extends Found {
  readonly node: Node;
  readonly form: Form;
}

/** What a place is called: operator and name; where the file names no nodes, the operator and the map that it makes, which is as unique. */
export const placeLabel = ({ node, after }: Pick<Place, "node" | "after">): string =>
  node.name ? nodeLabel(node) : `${node.operator.name} -> "${after.name}"`;

/** Where a model changes the resolution of its maps, in the order of its nodes. */
export function resamplingPlaces(graph: Graph): Place[] {
  return graph.nodes.flatMap((node) => {
    for (const form of forms) {
      const found = form.find(node);
      if (found) return [{ ...found, node, form }];
    }
    return [];
  });
}
