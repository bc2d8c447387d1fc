import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { gradients } from "../../engine/autodiff/gradients.js";
import { Graph } from "../../engine/graph/graph.js";
import { mul, reduceSum } from "../../engine/operators/index.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { tasks } from "./index.js";

interface Reference {
  readonly shape: readonly [number, number, number, number];
  readonly ignore: number;
  readonly labels: readonly number[];
  readonly weight: readonly number[];
  readonly cases: readonly {
    readonly name: string;
    readonly logits: readonly number[];
    readonly results: Readonly<Record<string, { readonly values: readonly number[]; readonly gradient: readonly number[] }>>;
  }[];
}

const reference = JSON.parse(
  readFileSync(new URL("../../../fixtures/losses/classes.json", import.meta.url), "utf8"),
) as Reference;
const { shape, ignore, labels, weight } = reference;
const pixels = [shape[0], shape[2], shape[3]];
const { losses } = tasks.segmentation;

it("the reference has every loss of the task", () => {
  expect(Object.keys(reference.cases[0]!.results).sort()).toEqual(Object.keys(losses).sort());
});

for (const { name, logits, results } of reference.cases)
  for (const level of ["disabled", "all"] as const)
    it.each(Object.keys(results))(`%s, ${name} logits, optimization ${level}: PyTorch's values and gradients`, async (loss) => {
      const graph = new Graph();
      const [z, y, w] = [
        graph.input("z", "float32", [...shape]),
        graph.input("y", "int64", pixels),
        graph.input("w", "float32", pixels),
      ];
      const values = losses[loss]!(z, y, { ignore: [ignore], scale: 1 });
      const [slope] = gradients(reduceSum(mul(values, w)), [z]);
      graph.output("values", values);
      graph.output("gradient", slope!);
      const found = await runModel(
        graph,
        {
          z: tensor("float32", [...shape], [...logits]),
          y: tensor("int64", pixels, [...labels]),
          w: tensor("float32", pixels, [...weight]),
        },
        level,
      );
      for (const key of ["values", "gradient"] as const) {
        const due = results[loss]![key];
        (found[key]!.data as Float32Array).forEach((v, i) => {
          // Relative, down to what float32 can tell of logits of this size.
          expect(Math.abs(v - due[i]!), `${key} ${i}: ${v} for ${due[i]}`).toBeLessThan(2e-5 * Math.abs(due[i]!) + 2e-7);
        });
      }
    });
