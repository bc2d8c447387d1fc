import { describe, expect, it } from "vitest";
import { specialize } from "../compile/specialize.js";
import { int, text } from "../onnx/attribute-values.js";
import type { OnnxNode } from "../onnx/model.js";
import { parseModel } from "../onnx/read.js";
import { node, smallModel } from "../onnx/testing/small-model.js";
import { writeModel } from "../onnx/write.js";
import { Random } from "../tensor/random.js";
import { type Tensor, tensor } from "../tensor/tensor.js";
import { differencesFromFile } from "../testing/original-case.js";
import { checkedLevels, runModel } from "../testing/run-model.js";

const ints = (...values: number[]): Tensor => tensor("int64", [values.length], values);
/** y of x [5, 6] and a place [1] that is fed */
const file = (nodes: readonly OnnxNode[], initializers: Readonly<Record<string, Tensor>>) =>
  writeModel(
    smallModel({
      opset: 18,
      inputs: { x: ["float32", [5, 6]], at: ["int64", [1]] },
      outputs: { y: "float32" },
      nodes,
      initializers,
    }),
  );
const x = tensor(
  "float32",
  [5, 6],
  Array.from({ length: 30 }, (_, i) => Math.sin(i)),
);

const window = (constants: Readonly<Record<string, Tensor>>) =>
  file([node("Sub", "at one", "start"), node("Add", "start three", "end"), node("Slice", "x start end axes steps", "y")], {
    one: ints(1),
    three: ints(3),
    ...constants,
  });
const padding = (mode: string) =>
  file(
    [
      node("Sub", "three at", "after"),
      node("Concat", "one at zero after", "pads", { axis: int(0) }),
      node("Pad", mode === "constant" ? "x pads value" : "x pads", "y", { mode: text(mode) }),
    ],
    { one: ints(1), three: ints(3), zero: ints(0), ...(mode === "constant" ? { value: tensor("float32", [], [0.5]) } : {}) },
  );
const counting = file(
  [
    node("Squeeze", "at", "start"),
    node("Add", "start six", "limit"),
    node("Range", "start limit one", "r"),
    node("Cast", "r", "f", { to: int(1) }),
    node("Mul", "x f", "y"),
  ],
  { six: tensor("int64", [], [12]), one: tensor("int64", [], [2]) },
);
const cropped = file(
  [node("Sub", "zero at", "more"), node("Concat", "zero more zero at", "pads", { axis: int(0) }), node("Pad", "x pads", "y")],
  { zero: ints(0) },
);

const cases = {
  "Slice, a window": [window({ axes: ints(-1), steps: ints(1) }), [1, 4, -3]],
  "Slice, every other entry": [window({ axes: ints(0), steps: ints(2) }), [1, 3]],
  "Pad, shifted": [padding("constant"), [0, 1, 3]],
  "Pad, shifted, edge": [padding("edge"), [0, 2]],
  "Pad, shifted by cropping": [cropped, [0, 2, -1]],
  Range: [counting, [0, 3]],
} as const;

describe.each(checkedLevels)("sizes that do not depend on computed places, optimization %s", (level) => {
  it.each(Object.entries(cases))("%s", async (name, [bytes, places]) => {
    for (const place of places)
      expect(await differencesFromFile(bytes, { x, at: ints(place) }, level, { random: new Random(1, name) })).toEqual([]);
  });
});

it("a window that does not lie inside is an error of the run, not another number", async () => {
  const graph = await specialize(parseModel(window({ axes: ints(1), steps: ints(1) })), {}, (constants) =>
    runModel(constants, {}),
  );
  for (const place of [5, 0, -6]) await expect(runModel(graph, { x, at: ints(place) })).rejects.toThrow(/out of data bounds/);
});

it("a length that depends on data is named", async () => {
  const open = file([node("Slice", "x at end", "y")], { end: ints(100) });
  await expect(specialize(parseModel(open), {}, (constants) => runModel(constants, {}))).rejects.toThrow(
    /its starts must be constant, but "at" is computed at run time/,
  );
});
