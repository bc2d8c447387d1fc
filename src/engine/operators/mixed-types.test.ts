import { describe, expect, it } from "vitest";
import { vectorJacobianProduct } from "../autodiff/gradients.js";
import { Graph, type Value } from "../graph/graph.js";
import { Random } from "../tensor/random.js";
import { type FloatType, isFloat, type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { inType } from "../testing/retyped.js";
import { checkedLevels, runModel } from "../testing/run-model.js";
import * as o from "./index.js";

/** Types that the specification allows beside each other, or with a reduction, and for which ONNX Runtime 1.30 has no kernel on the CPU. */
const cases: readonly {
  readonly name: string;
  readonly inputs: Readonly<Record<string, readonly [FloatType, Shape]>>;
  readonly build: (inputs: Readonly<Record<string, Value>>) => Value;
}[] = [
  ...(["float32", "float16", "float64"] as const).flatMap((x) =>
    (["float64", "float32", "float16"] as const).flatMap((grid) =>
      grid === x ? [] : [{ name: `GridSample of ${x} at ${grid}`, inputs: sampled(x, grid), build: sample }],
    ),
  ),
  ...(["float64", "float32"] as const).map((x) => ({
    name: `BatchNormalization of ${x} with other parameters`,
    inputs: {
      x: [x, [2, 3, 4]] as const,
      scale: ["float32", [3]] as const,
      bias: ["float16", [3]] as const,
      mean: ["float32", [3]] as const,
      variance: ["float16", [3]] as const,
    },
    build: ({ x, scale, bias, mean, variance }: Readonly<Record<string, Value>>) =>
      o.batchNormalization(x!, scale!, bias!, mean!, o.mul(variance!, variance!)),
  })),
  ...(["add", "mul", "max", "min"] as const).flatMap((reduction) => [
    {
      name: `ScatterElements of float16, ${reduction}`,
      inputs: { x: ["float16", [3, 4]] as const, u: ["float16", [2, 4]] as const },
      build: ({ x, u }: Readonly<Record<string, Value>>) => o.scatterElements(x!, indices(x!, [2, 4], 3), u!, 0, reduction),
    },
    {
      name: `ScatterND of float16, ${reduction}`,
      inputs: { x: ["float16", [4, 3]] as const, u: ["float16", [2, 3]] as const },
      build: ({ x, u }: Readonly<Record<string, Value>>) => o.scatterND(x!, indices(x!, [2, 1], 4), u!, reduction),
    },
  ]),
];

function sampled(x: FloatType, grid: FloatType) {
  return { x: [x, [1, 2, 5, 4]], grid: [grid, [1, 3, 3, 2]] } as const;
}

function sample({ x, grid }: Readonly<Record<string, Value>>): Value {
  return o.gridSample(x!, grid!, { padding: "border" });
}

const indices = (x: Value, shape: Shape, size: number): Value =>
  x.graph.constant(
    tensor(
      "int64",
      shape,
      Array.from({ length: sizeOf(shape) }, (_, i) => i % size),
    ),
  );

/** Values and gradients; in float32 throughout, or in the types of the case. */
async function results(test: (typeof cases)[number], types: "own" | "float32", level: (typeof checkedLevels)[number]) {
  const random = new Random(1, test.name);
  const graph = new Graph();
  const feeds: Record<string, Tensor> = {};
  const inputs: Record<string, Value> = {};
  for (const [name, [own, shape]] of Object.entries(test.inputs)) {
    const drawn = inType(
      tensor(
        "float32",
        shape,
        Array.from({ length: sizeOf(shape) }, () => random.uniform(-0.8, 0.8)),
      ),
      own,
    );
    feeds[name] = types === "own" ? drawn : inType(drawn, "float32");
    inputs[name] = graph.input(name, feeds[name].type, shape);
  }
  const y = test.build(inputs);
  const seed = graph.constant(
    inType(
      tensor(
        "float32",
        y.shape,
        Array.from({ length: sizeOf(y.shape) }, () => random.normal()),
      ),
      y.type as FloatType,
    ),
  );
  const wrt = Object.values(inputs).filter((v) => isFloat(v.type));
  graph.output("y", y);
  vectorJacobianProduct([{ of: y, cotangent: seed }], wrt).forEach((g, i) => graph.output(`d.${wrt[i]!.name}`, g));
  return await runModel(graph, feeds, level);
}

describe.each(checkedLevels)("element types without a kernel of their own, optimization %s", (level) => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", async (_, test) => {
    const [own, twin] = [await results(test, "own", level), await results(test, "float32", level)];
    for (const [name, expected] of Object.entries(twin)) {
      const type = name === "y" ? test.inputs.x![0] : test.inputs[name.slice(2)]![0];
      expect(own[name]!.type).toBe(type);
      const want = toNumbers(expected);
      const scale = Math.max(...want.map(Math.abs));
      for (const [i, v] of toNumbers(own[name]!).entries()) expect(Math.abs(v - want[i]!)).toBeLessThanOrEqual(2e-3 * scale);
    }
  });
});
