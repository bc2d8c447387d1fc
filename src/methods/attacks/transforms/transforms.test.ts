import { describe, expect, it } from "vitest";
import { lower } from "../../../engine/compile/lower.js";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import type { OnnxModel } from "../../../engine/onnx/model.js";
import { mul, reshape } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { runModel } from "../../../engine/testing/run-model.js";
import { stepGraph } from "../ascent/step-graph.js";
import { pgd } from "../catalogue/index.js";
import { ascentOf } from "../definition.js";
import { smallBatch, smallModel } from "../testing/small-model.js";
import { modelTransform, type Transform, transforms } from "./index.js";

const shape: Shape = [2, 3, 8, 10];
const random = new Random(4);
const image = tensor(
  "float32",
  shape,
  Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(0.25, 0.75)),
);

/** The transform's result for noise that is the same number everywhere, or drawn. */
async function apply(transform: Transform, value: number | "drawn"): Promise<Float32Array> {
  const graph = new Graph();
  const noiseShape = transform.noise(shape);
  const draw = new Random(8);
  const noise = tensor(
    "float32",
    noiseShape,
    Float32Array.from({ length: sizeOf(noiseShape) }, () => (value === "drawn" ? draw.uniform(-1, 1) : value)),
  );
  graph.output("y", transform.apply(graph.input("x", "float32", shape), graph.input("n", "float32", noiseShape), noNumber));
  const { y } = await runModel(graph, { x: image, n: noise });
  expect(y!.shape).toEqual(shape);
  return y!.data as Float32Array;
}

const noNumber = (name: string): never => {
  throw new Error(`no built-in transform needs a number (${name})`);
};

const deviation = (y: Float32Array) => Math.sqrt(y.reduce((s, v, i) => s + (v - image.data[i]!) ** 2, 0) / y.length);
const pixel = (y: ArrayLike<number>, c: number, row: number, column: number) => y[(c * 8 + row) * 10 + column]!;

describe("built-in transforms", () => {
  it("gaussian-noise: deviation 4/255", async () => {
    expect(deviation(await apply(transforms["gaussian-noise"](1), "drawn")) * 255).toBeCloseTo(4, 0);
  });

  it("brightness-contrast: nothing at zero noise, (1.2 (x - ½) + 0.6) at one", async () => {
    expect(deviation(await apply(transforms["brightness-contrast"](1), 0))).toBeLessThan(1e-6);
    const y = await apply(transforms["brightness-contrast"](1), 1);
    y.forEach((v, i) => {
      expect(v).toBeCloseTo(Math.min(1, 1.2 * (image.data[i]! - 0.5) + 0.6), 5);
    });
  });

  it("shift: nothing at zero noise, halfway to the neighbors at one", async () => {
    expect(deviation(await apply(transforms.shift(1), 0))).toBeLessThan(1e-6);
    const y = await apply(transforms.shift(1), 1);
    const [x, expected] = [
      image.data,
      (r: number, c: number) =>
        (pixel(x, 0, r, c) + pixel(x, 0, r + 1, c) + pixel(x, 0, r, c + 1) + pixel(x, 0, r + 1, c + 1)) / 4,
    ];
    for (const [r, c] of [
      [2, 3],
      [5, 7],
      [0, 0],
    ] as const)
      expect(pixel(y, 0, r, c)).toBeCloseTo(expected(r, c), 5);
  });

  it("resize-pad: the image itself at size 1, black around it at the smallest", async () => {
    const noise = transforms["resize-pad"](1);
    expect(deviation(await apply(noise, 1))).toBeLessThan(1e-5);
    // Size 0.9, center at its left upper end: what is right of and below 0.9 of the image is black.
    const y = await apply(noise, -1);
    expect(pixel(y, 0, 7, 9)).toBeLessThan(0.3);
    expect(pixel(y, 0, 3, 4)).toBeGreaterThan(0.2);
  });
});

const attack = await ascentOf(pgd({ epsilon: 8 / 255, randomStart: "none", steps: 4 }));

describe("a step with transforms", () => {
  const { images, target } = smallBatch("segmentation");
  const feeds = {
    "x.image": images.image!,
    "clean.image": images.image!,
    target,
    epsilon: scalar(8 / 255),
    step_size: scalar(0.01),
    progress: scalar(0),
  };

  it("averages the gradients of its draws", async () => {
    const step = async (transform: Transform, noises: readonly Tensor[]) => {
      const model = lower(stepGraph(attack, { ...smallModel("segmentation"), transform }), "cpu");
      const noise = Object.fromEntries(noises.map((n, i) => [model.inputs.find((v) => v.name.startsWith(`noise${i}`))!.name, n]));
      return (await runModel(model, { ...feeds, ...noise }))["gradient.image"]!.data as Float32Array;
    };
    const { "brightness-contrast": transform } = transforms;
    const noises = [0.3, -0.8].map((v) => tensor("float32", [2, 2], [v, -v, 0.5 * v, v]));
    const [both, ...single] = [
      await step(transform(2), noises),
      await step(transform(1), [noises[0]!]),
      await step(transform(1), [noises[1]!]),
    ];
    both!.forEach((g, i) => {
      expect(g).toBeCloseTo((single[0]![i]! + single[1]![i]!) / 2, 6);
    });
  });

  it("holds the weights once, however many draws there are", () => {
    const size = (samples: number) => {
      const model = stepGraph(attack, { ...smallModel("segmentation"), transform: transforms.shift(samples) });
      return [...model.build().graph.initializers.values()].filter((t) => sizeOf(t.shape) > 64).length;
    };
    expect(size(5)).toBe(size(1));
  });

  it("refuses to move pixels under a target for each", () => {
    expect(() => stepGraph(attack, { ...smallModel("flow"), transform: transforms["resize-pad"](2) })).toThrow(/moves pixels/);
    expect(() => stepGraph(attack, { ...smallModel("classification"), transform: transforms["resize-pad"](2) })).not.toThrow();
  });

  it("moves both images of a pair alike, and gives each its own noise", () => {
    const noises = (transform: Transform) =>
      stepGraph(attack, { ...smallModel("flow"), transform })
        .inputs.map((i) => i.name)
        .filter((n) => n.startsWith("noise"));
    expect(noises(transforms.shift(2))).toEqual(["noise0", "noise1"]);
    expect(noises(transforms["gaussian-noise"](1)).sort()).toEqual(["noise0.image1", "noise0.image2"]);
  });
});

describe("a transform of one's own", () => {
  const evaluate = (m: Graph) => runModel(m, {}, "disabled");
  const own = (body: (x: Value, n: Value) => Value, names: readonly [string, string] = ["image", "noise"]): OnnxModel => {
    const graph = new Graph();
    graph.output("y", body(graph.input(names[0], "float32", shape), graph.input(names[1], "float32", [2, 1])));
    const model = graph.build();
    const inputs = model.graph.inputs.map((i) => ({ ...i, shape: i.name === names[0] ? ["n", 3, "h", "w"] : ["n", 1] }));
    return { ...model, graph: { ...model.graph, inputs, valueInfo: new Map() } };
  };

  it("is specialized to the batch", async () => {
    const transform = await modelTransform(
      own((x, n) => mul(x, reshape(n, [2, 1, 1, 1]))),
      "dim.onnx",
      3,
      shape,
      evaluate,
    );
    expect(transform.noise(shape)).toEqual([2, 1]);
    expect(deviation(await apply(transform, 1))).toBeLessThan(1e-6);
    expect(Math.max(...(await apply(transform, 0)))).toBe(0);
  });

  it.each([
    ["other inputs", own((x) => x, ["picture", "noise"]), /inputs "image" and "noise"/],
    ["another shape", own((x) => reshape(x, [2, -1])), /one output of the image's shape/],
  ])("is refused with %s", async (_, model, message) => {
    await expect(modelTransform(model, "t.onnx", 1, shape, evaluate)).rejects.toThrow(message);
  });
});

function scalar(value: number): Tensor {
  return tensor("float32", [], [value]);
}
