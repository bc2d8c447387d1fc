import { describe, expect, it } from "vitest";
import { gradientGraph } from "../autodiff/gradient-graph.js";
import { specialize } from "../compile/specialize.js";
import { Random } from "../tensor/random.js";
import { tensor, toNumbers } from "../tensor/tensor.js";
import { checkedLevels, runModel } from "../testing/run-model.js";
import { parseModel } from "./read.js";
import { elementTypes, type Messages } from "./schema.js";
import { node, smallGraph, smallModel } from "./testing/small-model.js";
import { encode } from "./wire.js";
import { writeModel } from "./write.js";

const bfloat16 = elementTypes.indexOf("bfloat16");
const size = 4096;

/** Numbers of all sizes, halves between two bfloat16 among them, and the ends of the range. */
function numbers(): Float32Array {
  const random = new Random(5, "bfloat16");
  const bits = Uint32Array.from({ length: size }, () => random.integer(2 ** 32));
  bits.set([0, 0x80000000, 0x7f800000, 0xff800000, 0x7f7fffff, 0x3f808000, 0x3f818000, 0xbf808000, 0x8000, 0x18000, 1]);
  for (let i = 64; i < 512; i++) bits[i] = (bits[i]! & 0xffff0000) | 0x8000;
  return new Float32Array(bits.buffer).map((v) => (Number.isNaN(v) ? 1 : v));
}

/** To the nearest of the numbers whose lower 16 bits are 0; halves go to the even one. */
function rounded(values: Float32Array): number[] {
  const bits = new Uint32Array(values.slice().buffer);
  const upper = bits.map((b) => ((b + 0x7fff + ((b >>> 16) & 1)) & 0xffff0000) >>> 0);
  return [...new Float32Array(upper.buffer)];
}

const cast = (to: number) => ({ to: { kind: "int", value: to } }) as const;
const file = (nodes: readonly ReturnType<typeof node>[], more: Partial<Messages["Graph"]> = {}): Uint8Array =>
  encode("Model", {
    irVersion: 9,
    opsetImport: [{ domain: "", version: 19 }],
    graph: {
      name: "small",
      node: nodes.map(({ op, inputs, outputs, attributes }) => ({
        opType: op,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([name, a]) => ({ name, type: 2, i: a.value as number })),
      })),
      input: [{ name: "x", type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: size }] } } } }],
      output: [{ name: "y", type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: size }] } } } }],
      ...more,
    },
  });

const files = {
  "a cast and back": file([node("Cast", "x", "a", cast(bfloat16)), node("Cast", "a", "y", cast(1))]),
  "a cast whose inner value has the name of another": file([
    node("Neg", "x", "a.bfloat16"),
    node("Neg", "a.bfloat16", "b"),
    node("Cast", "b", "a", cast(bfloat16)),
    node("Cast", "a", "y", cast(1)),
  ]),
  "twice in a row": file([
    node("Cast", "x", "a", cast(bfloat16)),
    node("Cast", "a", "b", cast(1)),
    node("Cast", "b", "c", cast(bfloat16)),
    node("Cast", "c", "y", cast(1)),
  ]),
  "CastLike of a weight": file([node("CastLike", "x w", "a"), node("Cast", "a", "y", cast(1))], {
    initializer: [{ name: "w", dims: [1], dataType: bfloat16, rawData: new Uint8Array([0x80, 0x3f]) }],
  }),
};

describe.each(checkedLevels)("what is cast to bfloat16 is rounded to it, at optimization %s", (level) => {
  it.each(Object.entries(files))("%s", async (_, bytes) => {
    const model = parseModel(bytes);
    expect(model.widened).toBe("bfloat16");
    const graph = await specialize(model, {}, (constants) => runModel(constants, {}));
    const x = numbers();
    const feeds = { x: tensor("float32", [size], x) };
    const { y } = await runModel(graph, feeds, level);
    expect(toNumbers(y!)).toEqual(rounded(x));
    // the file as it was read, and the file that is written of the graph
    expect(toNumbers((await runModel(model, feeds, level)).y!)).toEqual(rounded(x));
    const again = await specialize(parseModel(writeModel(graph.build())), {}, (constants) => runModel(constants, {}));
    expect(toNumbers((await runModel(again, feeds, level)).y!)).toEqual(rounded(x));
    const v = tensor("float32", [size], x.toReversed());
    const gradient = await runModel(gradientGraph(graph), { ...feeds, "v.y": v }, level);
    expect(toNumbers(gradient["d.x"]!)).toEqual(toNumbers(v));
  });
});

it("float16, float64 and integers are rounded as well", async () => {
  for (const [type, values, want] of [
    ["float16", [1.0078125, 1.00390625, 1.01171875], [1.0078125, 1, 1.015625]],
    ["float64", [1.005, 1e-300, 1e300], [1.0078125, 0, Infinity]],
    ["int32", [257, 259, 1000001], [256, 260, 999424]],
  ] as const) {
    const nodes = [
      node("Cast", "z", "x", cast(elementTypes.indexOf(type))),
      node("Cast", "x", "a", cast(bfloat16)),
      node("Cast", "a", "y", cast(1)),
    ];
    const model = smallModel({ opset: 19, inputs: { z: ["float64", [3]] }, outputs: { y: "float32" }, nodes });
    const graph = await specialize(model, {}, (constants) => runModel(constants, {}));
    const { y } = await runModel(graph, { z: tensor("float64", [3], values) });
    expect(toNumbers(y!)).toEqual(want);
  }
});

it("is found within a branch too", () => {
  const inner = {
    inputs: {},
    outputs: { z: "float32" },
    nodes: [node("Cast", "x", "r", cast(bfloat16)), node("Cast", "r", "z", cast(1))],
  } as const;
  const branch = { kind: "graph", value: smallGraph(inner) } as const;
  const model = smallModel({
    opset: 18,
    inputs: { c: ["bool", []], x: ["float32", [2]] },
    outputs: { y: "float32" },
    nodes: [node("If", "c", "y", { then_branch: branch, else_branch: branch })],
  });
  expect(parseModel(writeModel(model)).widened).toBe("bfloat16");
  expect(
    parseModel(
      writeModel(
        smallModel({ opset: 18, inputs: { x: ["float32", [2]] }, outputs: { y: "float32" }, nodes: [node("Neg", "x", "y")] }),
      ),
    ).widened,
  ).toBeUndefined();
});
