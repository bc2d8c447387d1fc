import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseModel } from "../onnx/read.js";
import { node, smallModel } from "../onnx/testing/small-model.js";
import { writeModel } from "../onnx/write.js";
import { Random } from "../tensor/random.js";
import { sizeOf, tensor } from "../tensor/tensor.js";
import { differencesFromFile } from "../testing/original-case.js";
import { checkedLevels, runModel } from "../testing/run-model.js";
import { specialize } from "./specialize.js";

const bytesOf = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/cases/engine/${name}.onnx`, import.meta.url)));
const open = (bytes: Uint8Array) => specialize(parseModel(bytes), {}, (constants) => runModel(constants, {}));

describe.each(checkedLevels)(
  "files of newer opsets compute what ONNX Runtime does, and so do their slopes, optimization %s",
  (level) => {
    it.each(["opset22", "opset23", "opset24", "attention23", "rmsnorm23", "weight_standardisation"])("%s", async (name) => {
      const bytes = bytesOf(name);
      const random = new Random(3, name);
      const feeds = Object.fromEntries(
        parseModel(bytes).graph.inputs.map(({ name, shape }) => {
          const fixed = shape as number[];
          // away from ReLU's kink at 0
          const values = Array.from({ length: sizeOf(fixed) }, () => random.uniform(0.1, 1) * (random.integer(2) === 0 ? -1 : 1));
          return [name, tensor("float32", fixed, values)];
        }),
      );
      expect(await differencesFromFile(bytes, feeds, level, { random })).toEqual([]);
    });
  },
);

it("standardized weights are a constant of the graph", async () => {
  const graph = await open(bytesOf("weight_standardisation"));
  expect(graph.nodes.map(({ operator }) => operator.name)).toEqual(["Conv"]);
});

it.each(["com.microsoft.nchwc", "com.ms.internal.nhwc"])("%s is refused with what to do", async (domain) => {
  const model = smallModel({
    opset: 17,
    inputs: { x: ["float32", [1, 8, 4, 4]] },
    outputs: { y: "float32" },
    nodes: [node(`${domain}.GlobalAveragePool`, "x", "y")],
  });
  await expect(open(writeModel({ ...model, customOpsets: { [domain]: 1 } }))).rejects.toThrow(
    `${domain}.GlobalAveragePool "GlobalAveragePool node" is in a layout that ONNX Runtime makes for the processor at hand (optimization level "all"); save the optimized model at level "extended".`,
  );
});

it("files of opsets that are newer still are refused in one sentence", async () => {
  const model = smallModel({
    opset: 25,
    inputs: { x: ["float32", [2]] },
    outputs: { y: "float32" },
    nodes: [node("Relu", "x", "y")],
  });
  const read = async () => open(writeModel(model));
  await expect(read()).rejects.toThrow(
    "The model is written for opset 25, and Faultline reads 7 to 24; export it with opset 18.",
  );
});
