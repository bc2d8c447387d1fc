import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseModel } from "../onnx/read.js";
import { node, smallModel } from "../onnx/testing/small-model.js";
import { Random } from "../tensor/random.js";
import { sizeOf, tensor } from "../tensor/tensor.js";
import { differencesFromFile } from "../testing/original-case.js";
import { checkedLevels, runModel } from "../testing/run-model.js";
import { specialize } from "./specialize.js";

const folder = new URL("../../../fixtures/cases/engine/lists/", import.meta.url);
const open = (file: string) => new Uint8Array(readFileSync(new URL(file, folder)));

describe.each(checkedLevels)("lists of tensors are followed, optimization %s", (level) => {
  it.each(readdirSync(folder).sort())("%s", async (file) => {
    const random = new Random(1, file);
    const bytes = open(file);
    const { name, shape: stated } = parseModel(bytes).graph.inputs[0]!;
    const shape = stated!.map(Number);
    const x = tensor(
      "float32",
      shape,
      Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1)),
    );
    expect(await differencesFromFile(bytes, { [name]: x }, level, { random })).toEqual([]);
    const graph = await specialize(parseModel(bytes), {}, (constants) => runModel(constants, {}));
    expect(graph.nodes.filter(({ operator }) => /Sequence|Optional|Loop|If/.test(operator.name))).toEqual([]);
  });
});

it("a place that is known at run time only is named, and what stands before it", async () => {
  const model = smallModel({
    opset: 18,
    inputs: { x: ["float32", [4, 3]], place: ["int64", []] },
    outputs: { y: "float32" },
    nodes: [node("Sin", "x", "s"), node("SplitToSequence", "s", "list"), node("SequenceAt", "list place", "y")],
  });
  await expect(specialize(model, {}, (constants) => runModel(constants, {}))).rejects.toThrow(
    /SequenceAt "SequenceAt node": the place in its list is known at run time only\. The last value before it that can be differentiated is "s"/,
  );
});

it.each([
  ["SequenceAt", "its list has no place 3"],
  ["SequenceErase", "its list has no place 3"],
])("%s beyond the end of a list is refused", async (op, message) => {
  const model = smallModel({
    opset: 18,
    inputs: { x: ["float32", [2, 3]] },
    outputs: { y: "float32" },
    initializers: { three: tensor("int64", [], [3]) },
    nodes: [node("SequenceConstruct", "x x", "list"), node(op, "list three", "y")],
  });
  await expect(specialize(model, {}, (constants) => runModel(constants, {}))).rejects.toThrow(message);
});
