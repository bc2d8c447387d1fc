import type { Node, Value } from "../../graph/graph.js";
import { reshape } from "../../operators/layout/reshape.js";
import { sameShape } from "../../tensor/tensor.js";
import { isZero, madeBy } from "./match.js";

/**
 * Recognises the gradient of MaxPool as its rule writes it, Reshape(ScatterElements(zeros, Reshape(indices), Reshape(g), "add")), at the
 * outer Reshape.
 */
export function poolGradientOf(
  node: Node,
  scattered: Value | undefined,
): { readonly pool: Node; readonly indices: Value; readonly x: Value; readonly g: Value } | undefined {
  const scatter = node.operator.name === "Reshape" ? madeBy(scattered, "ScatterElements") : undefined;
  const [zeros, positions, updates] = scatter?.inputs ?? [];
  if (!updates || scatter?.attributes.reduction !== "add" || !isZero(madeBy(zeros, "Expand")?.inputs[0])) return undefined;
  const indices = madeBy(positions, "Reshape")?.inputs[0];
  const pool = madeBy(indices, "MaxPool");
  const x = pool?.inputs[0];
  if (!pool || !indices || !x || indices !== pool.outputs[1] || updates.type !== "float32") return undefined;
  if (pool.attributes.storage_order !== 0 || !sameShape(x.shape, node.outputs[0]!.shape)) return undefined;
  const g = madeBy(updates, "Reshape")?.inputs[0] ?? updates;
  return { pool, indices, x, g: reshape(g, indices.shape) };
}
