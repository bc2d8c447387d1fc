import { describe, expect, it } from "vitest";
import { vectorJacobianProduct } from "../../autodiff/gradients.js";
import { lower } from "../../compile/lower.js";
import { Graph } from "../../graph/graph.js";
import { Random } from "../../tensor/random.js";
import { type Shape, sizeOf, tensor, toNumbers } from "../../tensor/tensor.js";
import { checkedLevels, runModel } from "../../testing/run-model.js";
import { emitAll } from "../emit.js";
import { lstm } from "../recurrent/lstm.js";
import { DynamicQuantizeLSTM, dynamicQuantizeLstmParts } from "./dynamic-quantize-lstm.js";

const [steps, batch, width, hidden] = [5, 2, 6, 4];

describe.each(checkedLevels)("DynamicQuantizeLSTM, optimization %s", (level) => {
  it.each([
    ["forward", "one scale"],
    ["reverse", "a scale for each column"],
    ["bidirectional", "a scale for each column"],
  ] as const)(
    "%s, %s: its gradient is that of parts that compute what it computes, near the float model's",
    async (direction, scales) => {
      const random = new Random(2, direction);
      const directions = direction === "bidirectional" ? 2 : 1;
      const draw = (shape: Shape, of: () => number) => Array.from({ length: sizeOf(shape) }, of);
      const graph = new Graph();
      const x = graph.input("x", "float32", [steps, batch, width]);
      const g = graph.input("g", "float32", [steps, directions, batch, hidden]);
      const perDirection = scales === "one scale" ? [directions] : [directions, 4 * hidden];
      // within 6 bits: products do not saturate on any processor
      const quantized = (rows: number) => {
        const shape = [directions, rows, 4 * hidden];
        const values = draw(shape, () => random.integer(64) - 32);
        const [scale, zero] = [draw(perDirection, () => random.uniform(0.02, 0.04)), draw(perDirection, () => 0)];
        const columns = sizeOf(perDirection) / directions;
        // [D, K, 4H] as [D, 4H, K]
        const floats = draw([directions, 4 * hidden, rows], () => 0).map((_, i) => {
          const [d, row, column] = [Math.floor(i / (4 * hidden * rows)), i % rows, Math.floor(i / rows) % (4 * hidden)];
          return values[(d * rows + row) * 4 * hidden + column]! * scale[d * columns + (column % columns)]!;
        });
        return {
          integers: graph.constant(tensor("int8", shape, values)),
          scale: graph.constant(tensor("float32", perDirection, scale)),
          zero: graph.constant(tensor("int8", perDirection, zero)),
          floats: graph.constant(tensor("float32", [directions, 4 * hidden, rows], floats)),
        };
      };
      const [w, r] = [quantized(width), quantized(hidden)];
      const bias = graph.constant(
        tensor(
          "float32",
          [directions, 8 * hidden],
          draw([directions, 8 * hidden], () => random.normal() / 4),
        ),
      );
      const rest = [bias, undefined, undefined, undefined, undefined, w.scale, w.zero, r.scale, r.zero];
      const inputs = [x, w.integers, r.integers, ...rest];
      const node = emitAll(DynamicQuantizeLSTM, inputs, { direction, hidden_size: hidden }, 3)[0]!;
      const attributes = { ...node.node!.attributes, direction, hidden_size: hidden } as never;
      const fail = (message: string): never => {
        throw new Error(message);
      };
      graph.output("node", node);
      graph.output("parts", dynamicQuantizeLstmParts({ inputs, attributes, fail })[0]!);
      graph.output("float", lstm(x, w.floats, r.floats, { bias, direction }).y);
      for (const name of ["node", "float"])
        graph.output(`d.${name}`, vectorJacobianProduct([{ of: graph.outputs.get(name)!, cotangent: g }], [x])[0]!);
      const feeds = {
        x: tensor(
          "float32",
          x.shape,
          draw(x.shape, () => random.normal()),
        ),
        g: tensor(
          "float32",
          g.shape,
          draw(g.shape, () => random.normal()),
        ),
      };
      for (const form of [graph, lower(graph, "cpu")]) {
        const found = await runModel(form, feeds, level);
        const at = (name: string) => toNumbers(found[name]!);
        expect(at("parts")).toEqual(at("node").map((v) => expect.closeTo(v, 4)));
        expect(cosine(at("d.node"), at("d.float"))).toBeGreaterThan(0.99);
        expect(Math.hypot(...at("d.node"))).toBeGreaterThan(0);
      }
    },
  );
});

function cosine(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, v, i) => sum + v * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
}
