import { GraphError, type Value } from "../../../engine/graph/graph.js";
import { describe } from "../../../engine/tensor/tensor.js";

/** Height and width of [..., H, W]. @throws GraphError for fewer than two axes. */
export function demandMap(x: Value, operator: string): readonly [height: number, width: number] {
  if (x.shape.length < 2) throw new GraphError(`${operator}: ${describe(x)} must be [..., H, W].`);
  return [x.shape.at(-2)!, x.shape.at(-1)!];
}

/** ⌊H / stride⌋ and ⌊W / stride⌋. @throws GraphError where nothing would be left, or the stride is no whole number of at least 1. */
export function pooledSize(x: Value, stride: number, operator: string): readonly [height: number, width: number] {
  const [height, width] = demandMap(x, operator);
  if (!Number.isInteger(stride) || stride < 1)
    throw new GraphError(`${operator}: stride ${stride} must be a whole number of at least 1.`);
  if (Math.min(height, width) < stride)
    throw new GraphError(`${operator}: a map of ${height}x${width} is smaller than the stride ${stride}.`);
  return [Math.floor(height / stride), Math.floor(width / stride)];
}

/** [N, C, H, W] with even sides, as operators need that lay four pixels over one another. @throws GraphError */
export function demandEven(x: Value, operator: string): readonly [n: number, c: number, height: number, width: number] {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  if (x.shape.length !== 4 || height % 2 !== 0 || width % 2 !== 0 || height * width === 0)
    throw new GraphError(`${operator}: ${describe(x)} must be [N, C, H, W] with even sides.`);
  return [n, c, height, width];
}

/** [1] of x's type, as alpha and beta are. @throws GraphError */
export function demandScalar(value: Value, name: string, operator: string): void {
  if (value.shape.some((d) => d !== 1)) throw new GraphError(`${operator}: ${name} must be one number, not ${describe(value)}.`);
}
