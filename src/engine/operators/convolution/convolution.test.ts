import { describe, expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.js";
import { Graph, type Value } from "../../graph/graph.js";
import type { Random } from "../../tensor/random.js";
import { tensor } from "../../tensor/tensor.js";
import { notAdjoint } from "../../testing/adjoint-property.js";
import { checkedLevels, runModel } from "../../testing/run-model.js";
import { misinferred } from "../../testing/shape-property.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import type { AutoPad } from "../window.js";
import { conv } from "./conv.js";
import { convInteger } from "./conv-integer.js";
import { convTranspose } from "./conv-transpose.js";

const autoPads: readonly AutoPad[] = ["NOTSET", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"];

const builders = { Conv: conv, ConvTranspose: convTranspose };
type Name = keyof typeof builders;

/** A node with random attributes; not all fit. */
function randomConvolution(name: Name, graph: Graph, random: Random): Value {
  const rank = 1 + random.integer(3);
  const each = (low: number, high: number, length = rank) => Array.from({ length }, () => low + random.integer(high - low + 1));
  const x = graph.input("x", "float32", [1, 4, ...each(3, 9)]);
  const group = [1, 1, 2, 4][random.integer(4)]!;
  const w = graph.input("w", "float32", [...(name === "Conv" ? [4, 4 / group] : [4, 3]), ...each(1, 4)]);
  const autoPad = autoPads[random.integer(autoPads.length)]!;
  const strides = each(1, 4);
  const outputShape = random.integer(4) === 0 && autoPad !== "VALID" ? each(6, 14) : undefined;
  return builders[name](x, w, {
    group,
    strides,
    autoPad,
    ...(autoPad === "NOTSET" && !outputShape ? { pads: each(0, 2, 2 * rank) } : {}),
    ...(autoPad.startsWith("SAME") && name === "Conv" ? {} : { dilations: each(1, 3) }),
    ...(name === "ConvTranspose" && outputShape ? { outputShape } : {}),
    ...(name === "ConvTranspose" && !outputShape ? { outputPadding: strides.map((s) => random.integer(s)) } : {}),
  });
}

describe.each(["Conv", "ConvTranspose"] as const)("%s", (name) => {
  test("inferred shapes are ONNX Runtime's", async () => {
    const { mistakes, rejected } = await misinferred(300, (graph, random) => randomConvolution(name, graph, random));
    expect(mistakes).toEqual([]);
    expect(rejected).toBeLessThan(200);
  });

  test.each(checkedLevels)("the gradients are the adjoints for all attributes (level %s)", async (level) => {
    expect(await notAdjoint(150, level, (graph, random) => randomConvolution(name, graph, random))).toEqual([]);
  });
});

test("ConvInteger: inferred shapes are ONNX Runtime's", async () => {
  const { mistakes } = await misinferred(60, (graph, random) => {
    const x = graph.input("x", "uint8", [1, 4, 5 + random.integer(4), 6]);
    const group = 1 + random.integer(2);
    const w = graph.input("w", "uint8", [2, 4 / group, 3, 2]);
    return convInteger(x, w, {}, { group, strides: [1 + random.integer(3), 1], pads: [1, 0, random.integer(2), 1] });
  });
  expect(mistakes).toEqual([]);
});

test("inputs that no window touches get exact zeros", async () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [1, 1, 1, 9]);
  const w = graph.input("w", "float32", [1, 1, 1, 2]);
  graph.output("dx", gradients(conv(x, w, { strides: [1, 4] }), [x])[0]!);
  const { dx } = await runModel(graph, {
    x: tensor("float32", x.shape),
    w: tensor("float32", w.shape, [3, 5]),
  });
  expect([...dx!.data]).toEqual([3, 5, 0, 0, 3, 5, 0, 0, 0]);
});

test("second derivatives: Σ (∂Σ conv(x, w)²/∂x) is differentiable again", async () => {
  // f = (w x)² for a 1x1 convolution of one element: f' = 2 w² x, f'' = 2 w², ∂f'/∂w = 4 w x
  const graph = new Graph();
  const x = graph.input("x", "float32", [1, 1, 1, 1]);
  const w = graph.input("w", "float32", [1, 1, 1, 1]);
  const y = conv(x, w);
  const f = reduceSum(conv(y, y));
  const [first] = gradients(f, [x]);
  const [second, mixed] = gradients(first!, [x, w]);
  graph.output("second", second!);
  graph.output("mixed", mixed!);
  const r = await runModel(graph, { x: tensor("float32", [1, 1, 1, 1], [3]), w: tensor("float32", [1, 1, 1, 1], [5]) });
  expect(r.second!.data[0]).toBe(50);
  expect(r.mixed!.data[0]).toBe(60);
});

test("a misfit is named", () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [1, 3, 8, 8]);
  expect(() => conv(x, graph.input("w", "float32", [4, 2, 3, 3]))).toThrow(/X has 3 channels, W takes 2 in each of 1 groups/);
  expect(() => conv(x, graph.input("v", "float32", [4, 3, 9, 9]))).toThrow(/spans 9 elements of axis 2, which has 8/);
});
