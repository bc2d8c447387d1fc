import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { mul, reduceSum } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { declarations } from "../../vision/nn/model.js";
import { asInputs, type Mode, Parameters } from "../../vision/nn/scope.js";
import { type LayoutName, layouts } from "./layouts/index.js";
import { type Integration, type Sensor, type SensorOptions, sensor } from "./sensor.js";

function noise(shape: Shape, seed = 0): Tensor<"float32"> {
  const random = new Random(seed, "sensor test");
  return tensor(
    "float32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.uniform()),
  );
}

const exact: Integration = { kind: "exact" };
const sampled = (count: number, gradient: "interior" | "boundary" = "interior"): Integration => ({
  kind: "samples",
  count,
  gradient,
});
const raw = (...theta: number[]) =>
  tensor(
    "float32",
    [theta.length],
    theta.map((v) => Math.atanh(v / 0.6)),
  );

/** Runs a sensor with the given tensors of its own. */
async function look(
  eye: Sensor,
  image: Tensor,
  state: Record<string, Tensor>,
  mode: Mode = "evaluation",
  build?: (graph: Graph, reading: Value, p: Parameters, image: Value) => void,
) {
  const graph = new Graph();
  const parameters = new Parameters(graph, asInputs, mode);
  const x = graph.input("image", "float32", image.shape);
  const reading = eye(parameters.scope, x);
  graph.output("reading", reading);
  for (const [name, update] of parameters.updates) graph.output(`next.${name}`, update);
  build?.(graph, reading, parameters, x);
  const own = { shift: tensor("float32", [2]), ...state };
  return runModel(graph.build(), {
    image,
    ...Object.fromEntries([...parameters.values.keys()].map((name) => [name, own[name as "shift"]!])),
  });
}

const largestDifference = (a: Tensor, b: Tensor | readonly number[]) => {
  const [x, y] = [toNumbers(a), "data" in b ? toNumbers(b) : b];
  expect(x.length).toBe(y.length);
  return Math.max(...x.map((v, i) => Math.abs(v - y[i]!)));
};

const integrations: Record<string, Integration> = {
  exact,
  "16 samples": sampled(16),
  "16 samples, boundary": sampled(16, "boundary"),
  "5 samples": sampled(5),
};
const kinds = (Object.keys(layouts) as LayoutName[]).flatMap((layout) =>
  Object.entries(integrations).flatMap(([name, integration]) =>
    integration.kind === "exact" && layouts[layout].pixels === "curved" ? [] : [{ layout, name, integration }],
  ),
);

test.each(kinds)("a constant image gives the constant: $layout, $name", async ({ layout, integration }) => {
  const image = tensor("float32", [2, 3, 23, 31], new Array(2 * 3 * 23 * 31).fill(0.7));
  const { reading } = await look(sensor({ layout, height: 5, width: 9, integration }), image, { raw: raw(0.4, -0.55) });
  expect(largestDifference(reading!, new Array(2 * 3 * 45).fill(0.7))).toBeLessThan(2e-6);
});

/** Means over blocks of the image smoothed by [1/8, 3/4, 1/8] along both axes, the border repeated. */
function blockMeans(image: Tensor<"float32">, height: number, width: number): number[] {
  const [, , rows, columns] = image.shape as [number, number, number, number];
  const at = (y: number, x: number) =>
    image.data[Math.min(rows - 1, Math.max(0, y)) * columns + Math.min(columns - 1, Math.max(0, x))]!;
  const kernel = [1 / 8, 3 / 4, 1 / 8];
  const smooth = (y: number, x: number) => {
    let sum = 0;
    for (const [i, a] of kernel.entries()) for (const [j, b] of kernel.entries()) sum += a * b * at(y + i - 1, x + j - 1);
    return sum;
  };
  const [blockRows, blockColumns] = [rows / height, columns / width];
  return Array.from({ length: height * width }, (_, i) => {
    let sum = 0;
    for (let y = 0; y < blockRows; y++)
      for (let x = 0; x < blockColumns; x++) sum += smooth(Math.floor(i / width) * blockRows + y, (i % width) * blockColumns + x);
    return sum / (blockRows * blockColumns);
  });
}

describe("θ = 0 is downsampling by area", () => {
  const image = noise([1, 1, 24, 40]);
  const expected = blockMeans(image, 6, 8);
  test.each(["uniform", "rectangular"] as const)("exactly: %s", async (layout) => {
    const { reading } = await look(sensor({ layout, height: 6, width: 8, integration: exact }), image, { raw: raw(0, 0) });
    expect(largestDifference(reading!, expected)).toBeLessThan(1e-5);
  });
  test.each(Object.keys(layouts) as LayoutName[])("as samples grow: %s", async (layout) => {
    const error = async (count: number) => {
      const { reading } = await look(sensor({ layout, height: 6, width: 8, integration: sampled(count) }), image, {
        raw: raw(0, 0),
      });
      return largestDifference(reading!, expected);
    };
    expect(await error(1024)).toBeLessThan(0.012);
    expect(await error(16)).toBeLessThan(0.25);
  });
  test("a plain slope is read without any smoothing", async () => {
    const slope = tensor(
      "float32",
      [1, 1, 8, 12],
      Array.from({ length: 96 }, (_, i) => (i % 12) / 12),
    );
    const { reading } = await look(sensor({ layout: "uniform", height: 2, width: 3, integration: exact }), slope, {});
    // Means of columns 4 to 7; the outer blocks have the repeated border in them.
    expect(toNumbers(reading!)[1]).toBeCloseTo(5.5 / 12, 6);
  });
});

test.each([
  [6, 6],
  [4, 8],
  [30, 50],
])("the exact mode is what samples tend to, %i x %i", async (height, width) => {
  const image = noise([1, 2, 27, 41]);
  const state = { raw: raw(0.45, -0.3) };
  const of = async (integration: Integration) =>
    (await look(sensor({ layout: "rectangular", height, width, integration }), image, state)).reading!;
  const truth = await of(exact);
  const [few, many] = [largestDifference(await of(sampled(16)), truth), largestDifference(await of(sampled(1024)), truth)];
  expect(many).toBeLessThan(0.02);
  expect(many).toBeLessThan(few / 3);
});

test.each(Object.entries(integrations).filter(([name]) => name !== "16 samples, boundary"))(
  "the gradient by the layout is that of finite differences: %s",
  async (_, integration) => {
    // Smooth, as differences over a kink of the bilinear image say little.
    const wave = Array.from({ length: 1200 }, (_, i) => Math.sin(0.11 * (i % 30) + 0.13 * Math.floor(i / 30)));
    const image = tensor("float32", [1, 2, 20, 30], wave);
    const eye = sensor({ layout: "rectangular", height: 3, width: 5, integration });
    const weights = noise([1, 2, 3, 5], 1);
    const run = (theta: readonly number[]) =>
      look(eye, image, { raw: tensor("float32", [2], theta) }, "evaluation", (graph, reading, p, x) => {
        const loss = reduceSum(mul(reading, graph.constant(weights)));
        graph.output("loss", loss);
        const [byRaw, byImage] = gradients(loss, [p.values.get("raw")!, x]);
        graph.output("byRaw", byRaw!);
        graph.output("byImage", byImage!);
      });
    const at = [0.31, -0.22];
    const { byRaw } = await run(at);
    const step = 2e-3;
    for (const q of [0, 1]) {
      const moved = async (by: number) => toNumbers((await run(at.map((v, i) => (i === q ? v + by : v)))).loss!)[0]!;
      expect(((await moved(step)) - (await moved(-step))) / (2 * step)).toBeCloseTo(toNumbers(byRaw!)[q]!, 1);
    }
  },
);

test("both estimators read the same and have one gradient by the image", async () => {
  const image = noise([2, 3, 20, 30]);
  const run = (gradient: "interior" | "boundary") =>
    look(
      sensor({ layout: "curvilinear", height: 4, width: 6, integration: sampled(8, gradient) }),
      image,
      { raw: raw(0.3, 0.2) },
      "evaluation",
      (graph, reading, p, x) => {
        const [byImage, byRaw] = gradients(reduceSum(mul(reading, reading)), [x, p.values.get("raw")!]);
        graph.output("byImage", byImage!);
        graph.output("byRaw", byRaw!);
      },
    );
  const [interior, boundary] = [await run("interior"), await run("boundary")];
  expect(toNumbers(boundary.reading!)).toEqual(toNumbers(interior.reading!));
  expect(largestDifference(boundary.byImage!, interior.byImage!)).toBeLessThan(1e-6);
  // They are two estimates of one derivative, from few samples.
  expect(toNumbers(boundary.byRaw!)).not.toEqual(toNumbers(interior.byRaw!));
});

describe("samples", () => {
  const eye = sensor({ layout: "rectangular", height: 4, width: 4, integration: { kind: "samples", count: 8, seed: 3 } });
  const image = noise([1, 1, 28, 28]);
  test("stay in evaluation and move in training, as the buffer says", async () => {
    const state = { raw: raw(0.1, 0.1) };
    const still = await look(eye, image, state);
    const [first, second] = [
      await look(eye, image, state, "training"),
      await look(eye, image, { ...state, shift: tensor("float32", [2], [0.5, 0.25]) }, "training"),
    ];
    expect(toNumbers(first.reading!)).toEqual(toNumbers(still.reading!));
    expect(toNumbers(second.reading!)).not.toEqual(toNumbers(still.reading!));
    expect(still["next.shift"]).toBeUndefined();
    toNumbers(second["next.shift"]!).forEach((v, i) => expect(v).toBeCloseTo([0.2548776662, 0.819840291][i]!, 6));
  });
  test("of another seed are others, of the same the same", async () => {
    const of = async (seed: number) =>
      toNumbers(
        (await look(sensor({ layout: "uniform", height: 4, width: 4, integration: { kind: "samples", seed } }), image, {}))
          .reading!,
      );
    expect(await of(1)).toEqual(await of(1));
    expect(await of(1)).not.toEqual(await of(2));
  });
});

test("frozen parameters are carried along and not trained", () => {
  const tensorsOf = (options: Partial<SensorOptions>) => {
    const eye = sensor({ layout: "rectangular", height: 4, width: 4, integration: exact, ...options });
    const all = declarations((p, x) => eye(p, x!), { image: [1, 1, 8, 8] });
    return [...all.values()].map(({ name, shape, role, initialize }) => [name, role, ...initialize(shape, new Random(0))]);
  };
  expect(tensorsOf({})).toEqual([["raw", "parameter", 0, 0]]);
  expect(tensorsOf({ layout: "uniform" })).toEqual([]);
  const [learned, kept] = tensorsOf({ frozen: ["s"], theta: [0.3, 0.2] });
  expect(learned!.slice(0, 2)).toEqual(["raw", "parameter"]);
  expect(0.6 * Math.tanh(learned![2] as number)).toBeCloseTo(0.2, 6);
  expect(kept).toEqual(["frozen", "buffer", Math.fround(0.3)]);
});

test("a scene of 512 x 1024 on a sensor of 64 x 128, every layout", async () => {
  const image = noise([1, 3, 512, 1024]);
  const truth = (
    await look(sensor({ layout: "rectangular", height: 64, width: 128, integration: exact }), image, { raw: raw(0.3, -0.2) })
  ).reading!;
  const { reading } = await look(sensor({ layout: "rectangular", height: 64, width: 128 }), image, { raw: raw(0.3, -0.2) });
  expect(reading!.shape).toEqual([1, 3, 64, 128]);
  const exactly = toNumbers(truth);
  const errors = toNumbers(reading!).map((v, i) => (v - exactly[i]!) ** 2);
  // White noise, 16 samples: a deviation below 0.29 / 4.
  expect(Math.sqrt(errors.reduce((a, b) => a + b) / errors.length)).toBeLessThan(0.07);
});

test.each<[Partial<SensorOptions>, string]>([
  [{ height: 0 }, "A sensor's height is a whole number of at least 1, not 0."],
  [{ integration: sampled(2.5) }, "A sensor's number of samples is a whole number of at least 1, not 2.5."],
  [{ layout: "curvilinear", integration: exact }, "those of the layout curvilinear are curved; use samples."],
  [{ theta: [0.7, 0] }, "s begins at 0.7, but must lie within ±0.6 to be learned."],
  [{ theta: [0.1] }, "The layout rectangular has 2 parameters (s, t), but theta has 1."],
  [{ frozen: ["u"] }, 'The layout rectangular has no parameter "u" to freeze; it has s, t.'],
])("%o is refused", (options, sentence) => {
  expect(() => sensor({ layout: "rectangular", height: 4, width: 4, ...options })).toThrow(sentence);
});
