import { expect, it } from "vitest";
import { node, smallModel } from "../onnx/testing/small-model.js";
import { writeModel } from "../onnx/write.js";
import { Random } from "../tensor/random.js";
import { tensor, toNumbers } from "../tensor/tensor.js";
import { checkedLevels, runModel } from "../testing/run-model.js";
import { specialize } from "./specialize.js";

const scalar = (value: number) => tensor("float32", [], [value]);
const zeros = { xz: tensor("uint8", [], [120]), wz: tensor("uint8", [], [128]), yz: tensor("uint8", [], [128]) };

/** A convolution with so few weights that they would be folded as floating-point numbers, which ONNX Runtime would quantize again. */
it.each(checkedLevels)(
  "few quantized weights stay as they are, and the prediction is the file's, optimization %s",
  async (level) => {
    const weights = tensor("uint8", [2, 1, 1, 3], [121, 116, 119, 154, 127, 114]);
    const model = smallModel({
      opset: 18,
      inputs: { x: ["float32", [1, 1, 17, 14]] },
      outputs: { y: "float32" },
      initializers: { xs: scalar(0.03), w: weights, ws: scalar(0.02), ys: scalar(0.0973), ...zeros },
      nodes: [
        node("QuantizeLinear", "x xs xz", "q"),
        node("QLinearConv", "q xs xz w ws wz ys yz", "r"),
        node("DequantizeLinear", "r ys yz", "y"),
      ],
    });
    const random = new Random(1);
    const values = Array.from({ length: 17 * 14 }, () => random.normal());
    const feeds = { x: tensor("float32", [1, 1, 17, 14], values) };
    const graph = await specialize(model, {}, (constants) => runModel(constants, {}));
    const [expected, found] = [await runModel(writeModel(model), feeds, "disabled"), await runModel(graph, feeds, level)];
    expect(toNumbers(found.y!)).toEqual(toNumbers(expected.y!));
  },
);
