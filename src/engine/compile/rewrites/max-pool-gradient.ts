import type { Node, Value } from "../../graph/graph.js";
import { nodeAs } from "../../graph/operator.js";
import { ScatterElements } from "../../operators/indexing/scatter-elements.js";
import { Expand } from "../../operators/layout/expand.js";
import { Reshape, reshape } from "../../operators/layout/reshape.js";
import { MaxPool } from "../../operators/pooling/max-pool.js";
import { sameShape } from "../../tensor/tensor.js";
import { isZero } from "./match.js";

/**
 * Recognizes the gradient of MaxPool as its rule writes it, Reshape(ScatterElements(zeros, Reshape(indices), Reshape(g), "add")), at the
 * outer Reshape.
 */
export function poolGradientOf(node: Node) {
  const scatter = nodeAs(ScatterElements, nodeAs(Reshape, node)?.inputs[0]);
  if (scatter?.attributes.reduction !== "add") return undefined;
  const [zeros, positions, updates] = scatter.inputs;
  const indices: Value | undefined = nodeAs(Reshape, positions)?.inputs[0];
  const pool = nodeAs(MaxPool, indices);
  if (!pool || !indices || indices !== pool.outputs[1] || !isZero(nodeAs(Expand, zeros)?.inputs[0])) return undefined;
  const [x] = pool.inputs;
  if (updates.type !== "float32" || pool.attributes.storage_order !== 0 || !sameShape(x.shape, node.outputs[0]!.shape))
    return undefined;
  return { pool, indices, x, g: reshape(nodeAs(Reshape, updates)?.inputs[0] ?? updates, indices.shape) };
}
