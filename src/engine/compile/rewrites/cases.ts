import { vectorJacobianProduct } from "../../autodiff/gradients.js";
import { Graph, type Value } from "../../graph/graph.js";
import {
  add,
  clip,
  concat,
  conv,
  convTranspose,
  div,
  erf,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  matMul,
  maxPool,
  mul,
  neg,
  pad,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  silu,
  slice,
  softmax,
  sqrt,
  sub,
  transpose,
} from "../../operators/index.js";
import type { Random } from "../../tensor/random.js";
import { type FloatType, type Shape, sizeOf, type Tensor, tensor } from "../../tensor/tensor.js";
import { inType, retyped } from "../../testing/retyped.js";

/** A graph that a rewrite must change. */
export interface RewriteCase {
  /** The rewrite that must be triggered, and what is special about the case. */
  readonly rewrite: string;
  readonly title: string;
  readonly x: Shape;
  /** Largest difference in float32 over the largest value; default 2e-6. */
  readonly tolerance?: number;
  /** Values of x; default standard normal. */
  readonly values?: (random: Random) => number;
  /** A forward graph; its gradient by x is built as well. */
  readonly build: (x: Value, weight: (...shape: number[]) => Value) => Value;
}

/** Few distinct values: ties and hits of bounds are everywhere. */
const coarse = (random: Random): number => random.integer(5) - 2;

export const cases: readonly RewriteCase[] = [
  {
    rewrite: "pad-before-pool",
    // of a positive map: around a negative one, what is replaced is wrong at some levels (rewrites.test.ts)
    title: "zeros around a map",
    x: [1, 2, 6, 7],
    values: (random) => random.uniform(0.1, 1),
    build: (x) => maxPool(pad(x, [0, 0, 1, 1, 0, 0, 1, 1]), [3, 3], { strides: [2, 2] }),
  },
  {
    rewrite: "absorb-expand",
    title: "gradient of a mean, behind a product",
    x: [2, 3, 4],
    build: (x) => reduceMean(mul(x, x), [1, 2]),
  },
  { rewrite: "tidy-layout", title: "Reshape of a Reshape", x: [2, 6], build: (x) => reshape(reshape(x, [3, 4]), [12]) },
  { rewrite: "tidy-layout", title: "Reshape back", x: [2, 6], build: (x) => mul(reshape(reshape(x, [3, 4]), [2, 6]), x) },
  {
    rewrite: "tidy-layout",
    title: "two Transposes",
    x: [2, 3, 4],
    build: (x) => transpose(transpose(x, [1, 2, 0]), [1, 2, 0]),
  },
  {
    rewrite: "tidy-layout",
    title: "Transpose back",
    x: [2, 3, 4],
    build: (x) => mul(transpose(transpose(x, [2, 0, 1]), [1, 2, 0]), x),
  },
  {
    rewrite: "tidy-layout",
    title: "a sum with zeros",
    x: [2, 3],
    build: (x) => mul(add(sub(x, 0), mul(x.graph.constant(tensor("float32", [], [0])), 1)), x),
  },
  { rewrite: "relu-mask", title: "ReLU, at 0 too", x: [2, 3, 4, 4], values: coarse, build: (x) => relu(x) },
  { rewrite: "relu-mask", title: "leaky ReLU, at 0 too", x: [2, 3, 4, 4], values: coarse, build: (x) => leakyRelu(x, 0.1) },
  { rewrite: "relu-mask", title: "tiny values", x: [8], values: (r) => r.normal() * 1e-30, build: (x) => relu(x) },
  { rewrite: "clip-mask", title: "bounds are hit", x: [2, 3, 4, 4], values: coarse, build: (x) => clip(x, -1, 1) },
  { rewrite: "clip-mask", title: "0 to 6", x: [64], values: (r) => r.integer(10) - 2, build: (x) => clip(x, 0, 6) },
  { rewrite: "clip-mask", title: "lower bound alone", x: [64], values: coarse, build: (x) => clip(x, -1) },
  { rewrite: "clip-mask", title: "upper bound alone", x: [64], values: coarse, build: (x) => clip(x, undefined, 1) },
  {
    rewrite: "clip-mask",
    title: "next to the bounds",
    x: [64],
    values: (r) => [0, 6, 6.0000005, 5.9999995, 1e-20, -1e-20][r.integer(6)]!,
    build: (x) => clip(x, 0, 6),
  },
  {
    rewrite: "clip-mask",
    title: "behind a convolution, bounds are hit",
    x: [1, 4, 5, 5],
    values: coarse,
    build: (x) => clip(conv(x, x.graph.constant(tensor("float32", [4, 4, 1, 1], identity(4)))), -1, 1),
  },
  {
    rewrite: "clip-mask",
    title: "strict bounds, hit and nearly",
    x: [64],
    values: (r) => [-2.5, 2.5, -2.4999998, 2.4999998, 0, 3][r.integer(6)]!,
    build: (x) => hardSigmoid(x),
  },
  {
    rewrite: "hard-swish-gradient",
    title: "bounds are hit, nearly, and far off",
    x: [2, 16, 4, 4],
    values: (r) => [-3, 3, -3.0000002, 3.0000002, -2.9999998, 2.9999998, 1e4, -1e4, 2 * r.normal()][r.integer(9)]!,
    build: (x) => hardSwish(x),
  },
  {
    rewrite: "hard-swish-gradient",
    title: "between convolutions",
    x: [1, 16, 5, 5],
    build: (x, weight) => conv(hardSwish(conv(x, weight(32, 16, 3, 3), { bias: weight(32) })), weight(16, 32, 1, 1)),
  },
  { rewrite: "silu-gradient", title: "x σ(x)", x: [2, 5], build: (x) => silu(x) },
  { rewrite: "gelu-gradient", title: "as built here", x: [2, 50], build: (x) => gelu(mul(x, 3)) },
  { rewrite: "gelu-gradient", title: "far out", x: [2, 50], values: (r) => 20 * r.normal(), build: (x) => gelu(x) },
  {
    rewrite: "gelu-gradient",
    title: "as PyTorch exports it",
    x: [2, 50],
    build: (x) => mul(mul(x, add(erf(div(x, Math.SQRT2)), 1)), 0.5),
  },
  {
    rewrite: "join-pads",
    title: "three slices",
    x: [2, 6, 3],
    build: (x) => {
      const [a, b, c] = [0, 2, 4].map((i) => slice(x, [i], [i + 2], { axes: [1] }));
      return mul(mul(a!, b!), c!);
    },
  },
  {
    rewrite: "join-pads",
    title: "two neighbors that do not fill the axis",
    x: [2, 6, 3],
    build: (x) => mul(slice(x, [1], [3], { axes: [1] }), slice(x, [3], [5], { axes: [1] })),
  },
  {
    rewrite: "merge-scales",
    title: "numbers through products, sums, reductions and layouts",
    x: [2, 3, 4],
    build: (x) => {
      const half = mul(neg(x), 0.5);
      const shared = div(x, 4);
      const flat = reshape(mul(x, -2), [6, 4]);
      const sums = reduceSum(mul(transpose(mul(x, 3), [0, 2, 1]), -1), [1], "keep");
      const pairs = add(mul(x, 5), mul(shared, 5));
      return add(sub(mul(half, pairs), neg(shared)), mul(add(reshape(flat, [2, 3, 4]), neg(x)), reduceMean(sums, [2], "keep")));
    },
  },
  {
    rewrite: "merge-scales",
    title: "standardizing, with its gradient",
    x: [2, 3, 4],
    build: (x) => {
      const centerd = sub(x, reduceMean(x, [1], "keep"));
      return div(centerd, sqrt(add(reduceMean(mul(centerd, centerd), [1], "keep"), 1e-5)));
    },
  },
  {
    rewrite: "fold-channel-scale",
    title: "affine part before a pixel-wise convolution",
    x: [2, 3, 4, 4],
    build: (x, weight) => conv(add(mul(mul(x, x), weight(1, 3, 1, 1)), weight(3, 1, 1)), weight(5, 3, 1, 1), { bias: weight(5) }),
  },
  {
    rewrite: "fold-channel-scale",
    title: "factor before and behind a padded convolution",
    x: [2, 3, 4, 4],
    build: (x, weight) =>
      mul(conv(mul(x, weight(3, 1, 1)), weight(5, 3, 3, 3), { pads: [1, 1, 1, 1], bias: weight(5) }), weight(1, 5, 1, 1)),
  },
  {
    rewrite: "fold-channel-scale",
    title: "factor before a depthwise convolution",
    x: [2, 3, 4, 4],
    build: (x, weight) => conv(mul(x, weight(1, 3, 1, 1)), weight(3, 1, 3, 3), { pads: [1, 1, 1, 1], group: 3 }),
  },
  {
    rewrite: "fold-channel-scale",
    title: "factors about a matrix product",
    x: [2, 4, 3],
    build: (x, weight) => mul(matMul(mul(x, weight(3)), weight(3, 5)), weight(1, 1, 5)),
  },
  {
    rewrite: "channel-sum",
    title: "mean and sum over the channels",
    x: [2, 3, 4, 5],
    build: (x) => mul(sub(x, reduceMean(x, [1], "keep")), reduceSum(mul(x, x), [1], "keep")),
  },
  {
    rewrite: "split-conv",
    title: "convolution over a Concat",
    x: [1, 16, 4, 4],
    build: (x, weight) => conv(concat([mul(x, x), relu(x)], 1), weight(16, 32, 3, 3), { pads: [1, 1, 1, 1] }),
  },
  {
    rewrite: "split-conv",
    title: "strided convolution over a Concat",
    x: [1, 16, 5, 5],
    build: (x, weight) => conv(concat([mul(x, x), relu(x)], 1), weight(16, 32, 3, 3), { strides: [2, 2] }),
  },
  {
    rewrite: "max-unpool",
    title: "2x2 with ties",
    x: [2, 3, 6, 5],
    values: coarse,
    build: (x) => mul(maxPool(x, [2, 2], { strides: [2, 2] }), 2),
  },
  {
    rewrite: "max-unpool",
    title: "windows that reach beyond the padded input",
    x: [2, 3, 5, 3],
    values: coarse,
    build: (x) => mul(maxPool(x, [2, 2], { strides: [3, 2], pads: [1, 1, 0, 0], rounding: "ceil" }), 2),
  },
  {
    rewrite: "max-pool-windows",
    title: "3x3, stride 2, padded, with ties",
    x: [2, 3, 7, 6],
    values: coarse,
    build: (x) => mul(maxPool(x, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }), 2),
  },
  {
    rewrite: "max-pool-windows",
    title: "dilated",
    x: [1, 2, 7, 6],
    values: coarse,
    build: (x) => maxPool(x, [2, 3], { dilations: [2, 1] }),
  },
  {
    rewrite: "max-pool-windows",
    title: "rounded up",
    x: [1, 2, 6, 6],
    values: coarse,
    build: (x) => maxPool(x, [3, 3], { strides: [2, 2], rounding: "ceil" }),
  },
  {
    rewrite: "max-pool-windows",
    title: "windows that leave the last row out",
    x: [1, 2, 6, 6],
    values: coarse,
    build: (x) => maxPool(x, [3, 3], { strides: [2, 2] }),
  },
  ...[7, 8, 11].flatMap((kernel) =>
    [2, 3].map(
      (stride): RewriteCase => ({
        rewrite: "transposed-phases",
        title: `full, kernel ${kernel}, stride ${stride}`,
        x: [1, 3, 5, 4],
        build: (x, weight) =>
          convTranspose(x, weight(3, 16, kernel, kernel), {
            strides: [stride, stride],
            pads: [3, 3, 3, 3],
            outputPadding: [1, 1],
            bias: weight(16),
          }),
      }),
    ),
  ),
  {
    rewrite: "transposed-phases",
    title: "depthwise, unequal kernel and pads",
    x: [2, 3, 5, 4],
    build: (x, weight) => convTranspose(x, weight(3, 1, 7, 9), { strides: [2, 2], pads: [3, 4, 2, 5], group: 3 }),
  },
  {
    rewrite: "clip-in-blocks",
    title: "ReLU6 behind a convolution",
    x: [1, 16, 5, 5],
    build: (x, weight) => clip(conv(x, weight(32, 16, 1, 1), { bias: weight(32) }), 0, 6),
  },
  {
    rewrite: "clip-mask-of-conv",
    title: "ReLU6 behind a convolution that widens",
    x: [1, 16, 5, 5],
    build: (x, weight) => clip(conv(x, weight(32, 16, 1, 1), { bias: weight(32) }), 0, 6),
  },
  {
    rewrite: "clip-mask-of-conv",
    title: "on the bounds and next to them",
    x: [1, 16, 9, 9],
    values: (r) => [0, 6, 6.0000005, 5.9999995, 1e-20, -1e-20, 100, -100][r.integer(8)]!,
    build: (x) => clip(conv(x, x.graph.constant(tensor("float32", [16, 16, 1, 1], identity(16)))), 0, 6),
  },
  {
    rewrite: "attention-gradient",
    title: "two heads",
    x: [2, 5, 12],
    build: (x, weight) => attention(matMul(x, weight(12, 12)), 2),
  },
  {
    rewrite: "transposed-product",
    title: "two heads",
    x: [2, 5, 12],
    build: (x, weight) => attention(matMul(x, weight(12, 12)), 2),
  },
  {
    rewrite: "transposed-product",
    title: "heads of which the last axis moves",
    x: [2, 3, 4, 5],
    build: (x) => transpose(matMul(transpose(x, [0, 1, 3, 2]), mul(x, x)), [0, 3, 1, 2]),
  },
  {
    rewrite: "winograd",
    title: "gradient of a wide 3x3 Conv, unequal pads",
    tolerance: 5e-6,
    x: [1, 256, 24, 25],
    build: (x, weight) => conv(x, weight(256, 256, 3, 3), { pads: [1, 2, 1, 0] }),
  },
  {
    rewrite: "winograd",
    title: "gradient of a wide 3x3 Conv, dilated",
    tolerance: 5e-6,
    x: [1, 256, 24, 24],
    build: (x, weight) => conv(x, weight(256, 256, 3, 3), { pads: [2, 2, 2, 2], dilations: [2, 2] }),
  },
  {
    rewrite: "spread-depthwise",
    title: "gradient of a depthwise Conv, stride 2, last row untouched",
    x: [2, 3, 10, 8],
    build: (x, weight) => conv(x, weight(3, 1, 3, 3), { strides: [2, 2], pads: [1, 1, 0, 0], group: 3, bias: weight(3) }),
  },
  {
    rewrite: "spread-depthwise",
    title: "gradient of a depthwise Conv, stride 3, unequal kernel and pads",
    x: [2, 4, 11, 13],
    build: (x, weight) => conv(x, weight(4, 1, 3, 5), { strides: [3, 3], pads: [1, 2, 0, 1], group: 4 }),
  },
];

/** Self-attention in which queries, keys and values are thirds of the last axis of [N, tokens, C]. */
function attention(x: Value, heads: number): Value {
  const [n, tokens, c] = x.shape as [number, number, number];
  const size = c / 3;
  const [q, k, v] = [0, 1, 2].map((i) =>
    transpose(reshape(slice(x, [i * size], [(i + 1) * size], { axes: [2] }), [n, tokens, heads, size / heads]), [0, 2, 1, 3]),
  );
  const attended = matMul(softmax(matMul(q!, transpose(k!, [0, 1, 3, 2]))), v!);
  return reshape(transpose(attended, [0, 2, 1, 3]), [n, tokens, size]);
}

function identity(n: number): number[] {
  return Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
}

/** y and the gradient of ⟨v, y⟩ by x, everything in the given type, with a point to stand at. */
export function graphOfCase({ x: shape, values, build }: RewriteCase, random: Random, type: FloatType = "float32") {
  const draw = (s: Shape, from: (random: Random) => number): Tensor =>
    tensor(
      "float32",
      s,
      Array.from({ length: sizeOf(s) }, () => from(random)),
    );
  const normal = (r: Random) => r.normal();
  const float32 = new Graph();
  const input = float32.input("x", "float32", shape);
  float32.output(
    "y",
    build(input, (...s) => float32.constant(draw(s, normal))),
  );
  const { graph } = retyped(float32, type);
  const [x] = graph.inputs;
  const y = graph.outputs.get("y")!;
  const v = graph.input("v", y.type, y.shape);
  graph.output("dx", vectorJacobianProduct([{ of: y, cotangent: v }], [x!])[0]!);
  return { graph, feeds: { x: inType(draw(shape, values ?? normal), type), v: inType(draw(y.shape, normal), type) } };
}
