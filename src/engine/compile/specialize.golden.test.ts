import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseModel } from "../onnx/read.js";
import { parseSafetensors } from "../tensor/safetensors.js";
import { type Tensor, toNumbers } from "../tensor/tensor.js";
import { runModel } from "../testing/run-model.js";
import { foldBatchNormalization } from "./fold-batch-normalization.js";
import { specialize } from "./specialize.js";

const folder = join(import.meta.dirname, "../../../../shared/golden/gradients");
const present = existsSync(folder);
interface Case {
  readonly name: string;
  readonly kind: string;
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
}
const cases: readonly Case[] = present ? (JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Case[]) : [];

describe.skipIf(!present)("specialize: golden models give the outputs of the original file", () => {
  for (const test of cases.filter((c) => c.kind === "model")) {
    it(test.name, async () => {
      const file = new Uint8Array(readFileSync(join(folder, `${test.name}.onnx`)));
      const tensors = parseSafetensors(new Uint8Array(readFileSync(join(folder, `${test.name}.safetensors`)))).tensors;
      const feeds: Record<string, Tensor> = {};
      for (const { name } of test.inputs) feeds[name] = tensors.get(name)!;
      const shapes = Object.fromEntries(test.inputs.map(({ name, shape }) => [name, shape]));
      let sessions = 0;
      const graph = await specialize(parseModel(file), shapes, (m) => {
        sessions++;
        return runModel(m, {}, "disabled");
      });
      const model = graph.build();
      for (const node of model.graph.nodes) {
        expect(["Shape", "Size", "Identity", "Dropout", "Constant"]).not.toContain(node.op);
        for (const name of node.outputs) if (name) expect(model.graph.valueInfo.get(name)?.shape).toBeDefined();
      }
      const weighty = await specialize(parseModel(file), shapes, (m) => runModel(m, {}, "disabled"), { keep: "weights" });
      const expected = await runModel(file, feeds);
      for (const variant of [graph, weighty, foldBatchNormalization(graph)]) {
        const actual = await runModel(variant, feeds);
        expect(Object.keys(actual)).toEqual(Object.keys(expected));
        for (const [name, t] of Object.entries(expected)) {
          expect(actual[name]!.shape).toEqual(t.shape);
          expect(relativeError(actual[name]!, t), name).toBeLessThan(2e-5);
        }
      }
      expect(
        foldBatchNormalization(graph)
          .build()
          .graph.nodes.map((n) => n.op),
      ).not.toContain("BatchNormalization");
      expect(sessions).toBeLessThanOrEqual(60);
    });
  }
});

function relativeError(a: Tensor, b: Tensor): number {
  const [x, y] = [toNumbers(a), toNumbers(b)];
  const norm = (v: readonly number[]) => Math.sqrt(v.reduce((s, e) => s + e * e, 0));
  return norm(x.map((e, i) => e - y[i]!)) / (norm(y) || 1);
}
