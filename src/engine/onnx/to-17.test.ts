import { describe, expect, it } from "vitest";
import { Random } from "../tensor/random.js";
import { tensor, toNumbers } from "../tensor/tensor.js";
import { runModel } from "../testing/run-model.js";
import { int, ints } from "./attribute-values.js";
import { ModelError } from "./model.js";
import { parseModel } from "./read.js";
import { feedsOf, node, type SmallModel, smallModel } from "./testing/small-model.js";
import { toLowestOpset, toOpset17 } from "./to-17.js";
import { writeModel } from "./write.js";

const int64 = (...values: number[]) => tensor("int64", [values.length], values);
const image: SmallModel = { opset: 18, inputs: { x: ["float32", [1, 4, 7, 5]] }, outputs: { y: "float32" }, nodes: [] };

const cases: Readonly<Record<string, Partial<SmallModel>>> = {
  Mish: { nodes: [node("Mish", "x", "y")] },
  "Split into unequal parts": {
    outputs: { a: "float32", b: "float32", c: "float32" },
    nodes: [node("Split", "x", "a b c", { axis: int(-2), num_outputs: int(3) })],
  },
  "Split into equal parts": {
    outputs: { a: "float32", b: "float32" },
    nodes: [node("Split", "x", "a b", { axis: int(1), num_outputs: int(2) })],
  },
  "Pad of named axes": { nodes: [node("Pad", "x p - a", "y")], initializers: { p: int64(1, 2, 0, 3), a: int64(-1, 1) } },
  "ReduceMax over an input's axes": { nodes: [node("ReduceMax", "x a", "y")], initializers: { a: int64(-1, 1) } },
  "Transpose without axes": {
    inputs: { x: ["float32", []] },
    nodes: [node("Transpose", "x", "y", { perm: ints([]) })],
  },
};

describe("models written for opset 17 compute what they do at opset 18", () => {
  it.each(Object.entries(cases))("%s", async (_, small) => {
    const model = smallModel({ ...image, ...small });
    const feeds = feedsOf(model, new Random(1));
    const lowered = toOpset17(model);
    expect(lowered.opset).toBe(17);
    const [expected, computed] = [await runModel(writeModel(model, { opset: 18 }), feeds), await runModel(lowered, feeds)];
    for (const [name, t] of Object.entries(expected)) {
      expect(computed[name]!.shape).toEqual(t.shape);
      const numbers = toNumbers(computed[name]!);
      toNumbers(t).forEach((v, i) => {
        expect(numbers[i]).toBeCloseTo(v, 5);
      });
    }
    parseModel(writeModel(lowered));
  });

  it("or stay at 18 where only that says what they do", () => {
    const antialiased = smallModel({
      ...image,
      nodes: [node("Resize", "x - s", "y", { antialias: int(1) })],
      initializers: { s: tensor("float32", [4], [1, 1, 0.5, 0.5]) },
    });
    expect(toLowestOpset(antialiased)).toBe(antialiased);
    expect(() => writeModel(antialiased, { opset: 17 })).toThrow(
      'Resize "Resize node" is antialiased or resizes named axes, which opset 17 does not have; write the model with opset 18.',
    );
  });

  it.each<readonly [string, Partial<SmallModel>]>([
    ["too few pads", { nodes: [node("Pad", "x p - a", "y")], initializers: { p: int64(1, 2, 0), a: int64(-1, 1) } }],
    ["an axis far outside", { nodes: [node("Pad", "x p - a", "y")], initializers: { p: int64(1, 2), a: int64(2 ** 40) } }],
    ["2^31 parts", { nodes: [node("Split", "x", "y", { axis: int(1), num_outputs: int(2 ** 31) })] }],
    ["-1 parts", { nodes: [node("Split", "x", "y", { axis: int(1), num_outputs: int(-1) })] }],
  ])("nonsense stays as it is, without a crash or an allocation: %s", (_, small) => {
    const model = smallModel({ ...image, ...small });
    expect(toLowestOpset(model)).toBe(model);
    expect(() => toOpset17(model)).toThrow(ModelError);
  });
});
