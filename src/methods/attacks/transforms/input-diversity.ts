import type { Graph, Value } from "../../../engine/graph/graph.js";
import {
  abs,
  add,
  and,
  cast,
  clip,
  div,
  floor,
  greaterOrEqual,
  less,
  matMul,
  mul,
  relu,
  reshape,
  slice,
  sub,
  transpose,
  where,
} from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import type { Transform } from "./transform.js";

/**
 * Input diversity (DI, Xie et al. 2019, eq. 4): with a probability the image is shrunk to a random number of pixels, bilinearly, and padded with black at a
 * random place to its size again. The paper enlarges to 330 pixels what had 299, for networks that take both; here, as in torchattacks (`resize_rate` 0.9),
 * the size stays what the network takes. Each sample has a draw of its own (torchattacks: one for the batch).
 *
 * Shrinking and padding are one linear map of rows and one of columns: R X Cᵀ with the weights of bilinear interpolation (pixel centers at halves), and rows
 * of zeros where there is padding. With u uniform in [0, 1): size s = l + ⌊u (n - l)⌋ for l = ⌊rate n⌋, first pixel p = ⌊u (n - s)⌋.
 *
 * @param probability that an image is changed at all. @param rate least share of the size, (0, 1).
 */
export const inputDiversity = (probability: number, rate = 0.9): Transform => ({
  name: "input diversity",
  samples: 1,
  moves: "anything",
  noise: ([b]) => [b!, 4],
  apply: (image, noise) => {
    const [batch, , height, width] = image.shape as [number, number, number, number];
    const uniform = (i: number) => {
      const u = add(mul(slice(noise, [i], [i + 1], { axes: [1] }), 0.5), 0.5);
      return reshape(u, [batch, 1, 1, 1]);
    };
    const size = uniform(0);
    const rows = resizedAndPadded(height, rate, size, uniform(1));
    const columns = resizedAndPadded(width, rate, size, uniform(2));
    const changed = matMul(matMul(rows, image), transpose(columns, [0, 1, 3, 2]));
    return where(less(uniform(3), probability), changed, image);
  },
});

/** The map [B, 1, n, n] that shrinks n pixels to s and puts them at p. */
function resizedAndPadded(n: number, rate: number, forSize: Value, forPlace: Value): Value {
  const { graph } = forSize;
  const least = Math.max(1, Math.floor(rate * n));
  const below = (value: Value, limit: Value | number) => floor(mul(value, limit));
  // float32 rounds the largest u up to 1
  const s = least < n ? clip(add(below(forSize, n - least), least), least, n - 1) : add(mul(forSize, 0), n);
  const room = sub(n, s);
  const drawn = below(forPlace, room);
  const p = where(less(drawn, room), drawn, relu(sub(room, 1)));
  const target = index(graph, n, [1, 1, n, 1]);
  const source = index(graph, n, [1, 1, 1, n]);
  const at = sub(target, p);
  // Where pixel `at` of the small image lies in the large one, borders repeated.
  const where_ = clip(sub(mul(add(at, 0.5), div(n, s)), 0.5), 0, n - 1);
  const weight = relu(sub(1, abs(sub(where_, source))));
  const inside = and(greaterOrEqual(at, 0), less(at, s));
  return mul(weight, cast(inside, "float32"));
}

const index = (graph: Graph, n: number, shape: readonly number[]): Value =>
  graph.constant(
    tensor(
      "float32",
      shape,
      Float32Array.from({ length: n }, (_, i) => i),
    ),
  );
