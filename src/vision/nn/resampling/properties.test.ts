import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../../engine/testing/run-model.js";
import { repeatChannels } from "./channels.js";
import { asapPool, boaDown, flcPool, fourierResize, freqAvgUp, lctc, splitUp } from "./index.js";

async function evaluate(input: Tensor, operator: (x: Value) => Value, level: (typeof checkedLevels)[number] = "all") {
  const graph = new Graph();
  graph.output("y", operator(graph.input("x", "float32", input.shape)));
  return (await runModel(graph.build(), { x: input }, level)).y as Tensor<"float32">;
}

const scalar = (x: Value, value: number) => x.graph.constant(tensor("float32", [1], [value]));
const fill = (shape: Shape, of: (y: number, x: number) => number): Tensor<"float32"> => {
  const [height, width] = [shape.at(-2)!, shape.at(-1)!];
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => of(Math.floor(i / width) % height, i % width));
  return tensor("float32", shape, values);
};
const wave = (shape: Shape, u: number, v: number, phase: number) =>
  fill(shape, (y, x) => Math.cos(2 * Math.PI * ((u * y) / shape.at(-2)! + (v * x) / shape.at(-1)!) + phase));
const noise = (shape: Shape, seed: string): Tensor<"float32"> => {
  const random = new Random(seed);
  return fill(shape, () => random.normal(0, 1));
};
const furthest = (a: Tensor<"float32">, b: Tensor<"float32">): number => {
  expect(a.shape).toEqual(b.shape);
  return a.data.reduce((most, v, i) => Math.max(most, Math.abs(v - b.data[i]!)), 0);
};
const largest = (a: Tensor<"float32">): number => a.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** Even and odd, square and not, multiples of 4 and not. */
const sizes: readonly (readonly [number, number, number])[] = [
  [16, 16, 2],
  [10, 14, 2],
  [12, 30, 2],
  [22, 18, 2],
  [15, 21, 3],
  [20, 28, 4],
  [11, 17, 2],
  [13, 9, 1],
  [64, 96, 8],
  [2, 2, 2],
  [2, 6, 2],
  [1, 6, 1],
];

describe.each(sizes)("%ix%i by %i", (height, width, stride) => {
  const small = [Math.floor(height / stride), Math.floor(width / stride)] as const;

  test.each(checkedLevels)("FLC keeps constants, optimization %s", async (level) => {
    const y = await evaluate(
      fill([1, 2, height, width], () => -0.7),
      (x) => flcPool(x, { stride }),
      level,
    );
    expect(y.shape).toEqual([1, 2, ...small]);
    expect(
      furthest(
        y,
        fill(y.shape, () => -0.7),
      ),
    ).toBeLessThan(1e-6);
  });

  test("a sinusoid below the new Nyquist limit survives with its amplitude, one above vanishes", async () => {
    for (const [u, v] of [
      [1, 0],
      [0, 1],
      [Math.ceil(small[0] / 2) - 1, Math.ceil(small[1] / 2) - 1],
      [Math.floor(small[0] / 2) + 1, 0],
      [1, Math.floor(small[1] / 2) + 1],
      [Math.floor(height / 2), Math.floor(width / 2)],
    ] as const) {
      if (2 * u > height || 2 * v > width) continue;
      const kept = 2 * u < small[0] && 2 * v < small[1];
      // On the new limit itself one of two equal frequencies is left: neither.
      if (!kept && (2 * u === small[0] || 2 * v === small[1])) continue;
      const y = await evaluate(wave([1, 1, height, width], u, v, 0.4), (x) => flcPool(x, { stride }));
      const expected = kept ? wave([1, 1, ...small], u, v, 0.4) : fill([1, 1, ...small], () => 0);
      expect(furthest(y, expected), `frequency ${u}, ${v}`).toBeLessThan(2e-6);
    }
  });

  test.skipIf(height % stride !== 0 || width % stride !== 0)(
    "FLC of a map shifted by the stride is its result shifted by one",
    async () => {
      const x = noise([1, 2, height, width], `shift ${height} ${width}`);
      const shifted = (t: Tensor<"float32">, dy: number, dx: number) => {
        const [h, w] = [t.shape[2]!, t.shape[3]!];
        const values = t.data.map((_, i) => {
          const [plane, y, column] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
          return t.data[plane * h * w + ((((y - dy) % h) + h) % h) * w + ((((column - dx) % w) + w) % w)]!;
        });
        return tensor("float32", t.shape, values);
      };
      const before = await evaluate(x, (v) => flcPool(v, { stride }));
      const after = await evaluate(shifted(x, stride, 2 * stride), (v) => flcPool(v, { stride }));
      expect(furthest(after, shifted(before, 1, 2))).toBeLessThan(1e-5);
    },
  );

  test("up and down again is the identity for what has no frequency at its limit", async () => {
    const limited = await evaluate(noise([1, 2, height, width], "limited"), (x) =>
      fourierResize(fourierResize(x, odd(small)), [height, width]),
    );
    const again = await evaluate(limited, (x) => flcPool(fourierResize(x, [stride * height, stride * width]), { stride }));
    expect(furthest(again, limited)).toBeLessThan(1e-5 * Math.max(1, largest(limited)));
    const doubled = await evaluate(limited, (x) => flcPool(freqAvgUp(repeatChannels(x, 4), scalar(x, 0))));
    expect(furthest(doubled, limited)).toBeLessThan(1e-5 * Math.max(1, largest(limited)));
  });
});

const odd = ([height, width]: readonly [number, number]) => [height - 1 + (height % 2), width - 1 + (width % 2)] as const;

test("float16 maps of a batch: the same as each alone in float32, to the type's digits", async () => {
  const x = noise([3, 2, 22, 14], "float16");
  const half = tensor("float16", x.shape, x.data);
  const graph = new Graph();
  const input = graph.input("x", "float16", x.shape);
  graph.output("low", flcPool(input));
  graph.output("up", fourierResize(input, [44, 28]));
  const made = await runModel(graph.build(), { x: half });
  for (const [name, of] of [
    ["low", (v: Value) => flcPool(v)],
    ["up", (v: Value) => fourierResize(v, [44, 28])],
  ] as const) {
    const apart = await Promise.all(
      [0, 1, 2].map((i) => evaluate(tensor("float32", [1, 2, 22, 14], x.data.slice(616 * i, 616 * (i + 1))), of)),
    );
    const expected = apart.flatMap(({ data }) => [...data]);
    toNumbers(made[name]!).forEach((v, i) => {
      expect(Math.abs(v - expected[i]!)).toBeLessThan(0.02);
    });
  }
});

/** The rest of the operators on constants: what is low stays, what is high is nothing. */
describe("constants", () => {
  const c = 0.8;
  const alpha = 0.3;
  test.each([
    ["boaDown, reflected", (x: Value) => boaDown(x, scalar(x, alpha), { padding: "reflect" }), (1 - alpha) * c],
    [
      "boaDown corrected, reflected",
      (x: Value) => boaDown(x, scalar(x, alpha), { padding: "reflect", convention: "corrected" }),
      (1 - alpha) * c,
    ],
    ["freqAvgUp", (x: Value) => freqAvgUp(x, scalar(x, alpha)), (1 - alpha) * c],
    ["splitUp", (x: Value) => splitUp(x, scalar(x, alpha)), (1 - alpha) * c],
    ["fourierResize, larger", (x: Value) => fourierResize(x, [25, 31]), c],
    ["asapPool", (x: Value) => asapPool(x), c * Math.sqrt(hamming(16, 8) * hamming(20, 10))],
  ] as const)("%s", async (_, operator, expected) => {
    const y = await evaluate(
      fill([1, 4, 16, 20], () => c),
      operator,
    );
    expect(
      furthest(
        y,
        fill(y.shape, () => expected),
      ),
    ).toBeLessThan(2e-6);
  });
});

const hamming = (n: number, k: number): number => 0.54 - 0.46 * Math.cos((2 * Math.PI * k) / (n - 1));

test("FLC keeps constants whatever the size and the stride", async () => {
  const side = fc.integer({ min: 1, max: 40 });
  await fc.assert(
    fc.asyncProperty(side, side, fc.integer({ min: 1, max: 5 }), async (height, width, stride) => {
      fc.pre(Math.min(height, width) >= stride);
      const y = await evaluate(
        fill([1, 1, height, width], () => 1),
        (x) => flcPool(x, { stride }),
      );
      expect(
        furthest(
          y,
          fill(y.shape, () => 1),
        ),
      ).toBeLessThan(2e-6);
    }),
    { numRuns: 60, seed: 1 },
  );
});

test.each<[string, (x: Value) => Value, RegExp]>([
  ["stride", (x) => flcPool(x, { stride: 20 }), /flcPool: a map of 15x16 is smaller than the stride 20/],
  ["half a stride", (x) => flcPool(x, { stride: 1.5 }), /flcPool: stride 1.5 must be a whole number/],
  ["odd side", (x) => boaDown(x, scalar(x, 0.3)), /boaDown: .*\[1, 4, 15, 16\].* even sides/],
  ["alpha", (x) => boaDown(x, x), /boaDown: .*even sides/],
  ["beta", (x) => freqAvgUp(x, x), /freqAvgUp: beta must be one number, not float32\[1, 4, 15, 16\]/],
  ["square", (x) => splitUp(x, scalar(x, 0.3), "as-published"), /squares whose side is a multiple of 4, not 15x16/],
  [
    "padding",
    (x) => asapPool(x, { convention: "pad-one" }),
    /"pad-one" makes 8 of a side of 15, not 7; take sides that are multiples of 4/,
  ],
  [
    "kernel",
    (x) => lctc(x, { weight: x.graph.constant(tensor("float32", [4, 2, 4, 4])) }),
    /no square kernel whose side is odd or the factor 2/,
  ],
])("what does not fit is said: %s", (_, operator, sentence) => {
  const graph = new Graph();
  expect(() => operator(graph.input("x", "float32", [1, 4, 15, 16]))).toThrow(sentence);
});
