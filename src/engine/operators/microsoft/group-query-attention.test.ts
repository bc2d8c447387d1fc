import { expect, it } from "vitest";
import { specialize } from "../../compile/specialize.js";
import { node, smallModel } from "../../onnx/testing/small-model.js";
import { tensor } from "../../tensor/tensor.js";
import { runModel } from "../../testing/run-model.js";

/** Two rows of three tokens, of which the file says that they have so many keys. */
const open = (ends: readonly number[] | "at run time", attributes: Readonly<Record<string, number>> = {}) =>
  specialize(
    smallModel({
      opset: 17,
      inputs: {
        q: ["float32", [2, 3, 16]],
        k: ["float32", [2, 3, 8]],
        ...(ends === "at run time" && { ends: ["int32", [2]] as const }),
      },
      outputs: { y: "float32" },
      nodes: [
        node("com.microsoft.GroupQueryAttention", "q k k - - ends total", "y pk pv", {
          num_heads: { kind: "int", value: 2 },
          kv_num_heads: { kind: "int", value: 1 },
          ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { kind: "int", value }])),
        }),
      ],
      initializers: {
        total: tensor("int32", [1], [3]),
        ...(ends !== "at run time" && { ends: tensor("int32", [2], ends) }),
      },
    }),
    {},
    (constants) => runModel(constants, {}),
  );

it("is read where every row has all keys", async () => {
  const graph = await open([2, 2]);
  expect(graph.outputs.get("y")?.shape).toEqual([2, 3, 16]);
});

it.each([
  [[2, 1], {}, /its rows do not all have 3 keys \(seqlens_k 2, 1\), as in generation of text/],
  ["at run time", {}, /its seqlens_k must be constant, but "ends" is computed at run time/],
  [[2, 2], { smooth_softmax: 1 }, /its softmax has a sink beside the keys/],
  [[2, 2], { do_rotary: 1 }, /do_rotary needs cos_cache and sin_cache/],
] as const)("is refused with seqlens_k %j and %j", async (ends, attributes, sentence) => {
  await expect(open(ends, attributes)).rejects.toThrow(sentence);
});
