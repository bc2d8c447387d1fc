import { expect, test } from "vitest";
import { Graph, GraphError, type Value } from "../../graph/graph.js";
import { Random } from "../../tensor/random.js";
import { sizeOf, tensor, toNumbers, describe as typeOf } from "../../tensor/tensor.js";
import { runModel } from "../../testing/run-model.js";
import { interpolation, type ResizeContext, type ResizeOptions, resize, resizedAxes } from "./resize.js";
import { resizeMatrix } from "./resize-matrix.js";

const pick = <T>(random: Random, of: readonly T[]): T => of[random.integer(of.length)]!;

/** Options as drawn, with the axes that a mode of ONNX Runtime can resize. */
function randomResize(random: Random): { shape: number[]; options: ResizeOptions } {
  const mode = pick(random, ["nearest", "linear", "cubic"] as const);
  const shape = [1, 2, 1 + random.integer(12), 1 + random.integer(12)];
  const coordinates = pick(random, [
    "half_pixel",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_crop_and_resize",
  ] as const);
  const bySizes = random.integer(2) === 0;
  const sizes = [1 + random.integer(16), 1 + random.integer(16)];
  const scales = [pick(random, [0.3, 0.5, 1, 1.3, 2, 3, 0.7]), pick(random, [0.4, 0.5, 1, 1.7, 2, 2.5, 0.6])];
  const downsampling = mode === "nearest" ? "plain" : pick(random, ["plain", "antialias"] as const);
  // ONNX Runtime 1.30 cannot antialias beyond the input ("narrowing_error").
  const reach = downsampling === "antialias" ? 0 : 0.3;
  const options: ResizeOptions = {
    mode,
    coordinates,
    downsampling,
    axes: [2, 3],
    ...(bySizes
      ? { sizes, aspectRatio: pick(random, ["stretch", "stretch", "not_larger", "not_smaller"] as const) }
      : { scales }),
    nearest: pick(random, ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] as const),
    cubicCoefficient: pick(random, [-0.75, -0.5]),
    outside: pick(random, ["repeat", "repeat", "exclude"] as const),
    ...(coordinates === "tf_crop_and_resize"
      ? { region: [random.uniform(-reach, 0.4), 0, random.uniform(0.6, 1 + reach), 1] }
      : {}),
  };
  return { shape, options };
}

test("the matrices are what ONNX Runtime computes, in every mode", async () => {
  const mistakes: string[] = [];
  let checked = 0;
  for (let seed = 0; seed < 600; seed++) {
    const random = new Random(seed, "resize");
    const { shape, options } = randomResize(random);
    const graph = new Graph();
    const x = graph.input("x", "float32", shape);
    let y: Value;
    try {
      y = resize(x, options);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      continue;
    }
    graph.output("y", y);
    const values = Array.from({ length: sizeOf(shape) }, () => random.normal());
    const what = JSON.stringify({ shape, ...options });
    const result = await runModel(graph, { x: tensor("float32", shape, values) }, "disabled").catch((e: unknown) => String(e));
    if (typeof result === "string") {
      mistakes.push(`${what}: ${result}`);
      continue;
    }
    if (typeOf(result.y!) !== typeOf(y)) {
      mistakes.push(`${what}: inferred ${typeOf(y)}, ONNX Runtime ${typeOf(result.y!)}`);
      continue;
    }
    const node = y.node!;
    const context = { ...node, fail: fail } as unknown as ResizeContext;
    const axes = resizedAxes(context);
    // Left out: ONNX Runtime treats these now one way, now the other; their gradient is an error.
    if (options.downsampling === "antialias" && axes.some((a) => a.output === a.input && a.scale !== 1)) continue;
    checked++;
    const [rows, columns] = axes.slice(2).map((a) => ({ ...a, matrix: resizeMatrix(a, interpolation(context.attributes)) }));
    const [h, w] = [shape[2]!, shape[3]!];
    const truth = toNumbers(result.y!);
    let worst = 0;
    truth.forEach((t, at) => {
      const plane = Math.floor(at / (rows!.output * columns!.output));
      const [r, c] = [Math.floor(at / columns!.output) % rows!.output, at % columns!.output];
      let sum = 0;
      for (let i = 0; i < h; i++)
        for (let j = 0; j < w; j++)
          sum += rows!.matrix[r * h + i]! * columns!.matrix[c * w + j]! * Math.fround(values[(plane * h + i) * w + j]!);
      worst = Math.max(worst, Math.abs(sum - t));
    });
    if (worst > 2e-5) mistakes.push(`${what}: differs by ${worst}`);
  }
  expect(mistakes).toEqual([]);
  expect(checked).toBeGreaterThan(400);
});

const fail = (message: string): never => {
  throw new Error(message);
};
