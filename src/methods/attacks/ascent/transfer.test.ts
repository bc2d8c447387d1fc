import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lower } from "../../../engine/compile/lower.js";
import { parseSafetensors } from "../../../engine/tensor/safetensors.js";
import { sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../../engine/testing/run-model.js";
import type { Goal } from "../attacked-model.js";
import { attacks, miFgsm, pgd } from "../catalogue/index.js";
import { type AttackDefinition, ascentOf, attackOf, checkAttack, type Parameters } from "../definition.js";
import { at, goldenModel } from "../testing/golden-model.js";
import { smallModel } from "../testing/small-model.js";
import { ruleOf } from "./descent/rule-of.js";
import { stepGraph } from "./step-graph.js";

// Traces in float64 from the papers' formulas: tools/reference/transfer.py.
const folder = new URL("../../../../fixtures/golden/transfer/", import.meta.url);
const cases = JSON.parse(readFileSync(new URL("cases.json", folder), "utf8")) as {
  file: string;
  attack: keyof typeof attacks;
  parameters: Parameters;
  goal: Goal;
}[];
const [epsilon, stepSize, steps] = [0.1, 0.04, 3];
/** The sample whose trace is stored. */
const stored = 2;

/** The noise of the reference, a formula of its indices. */
function noise(shape: readonly number[], draw: number, step: number, around: boolean): Tensor<"float32"> {
  const each = sizeOf(shape.slice(1));
  const value = (i: number, b: number) =>
    0.6180339887498949 * (i + 1) +
    0.7548776662466927 * (b + 1) +
    0.5698402909980532 * (draw + 1) +
    0.324717957244746 * (step + 1) +
    (around ? 0.137 : 0);
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => 2 * (value(i % each, Math.floor(i / each)) % 1) - 1),
  );
}

const scalar = (value: number): Tensor => tensor("float32", [], [value]);

describe("transfer parts, step by step as the papers have them", () => {
  it.each(cases)("$file", async ({ file, attack, parameters, goal }) => {
    const { attacked, images, label, target } = await goldenModel("classification");
    const definition: AttackDefinition = attacks[attack];
    const chosen = attackOf(definition, { epsilon, stepSize, steps, ...parameters });
    const ascent = await ascentOf(chosen, goal);
    const trace = parseSafetensors(readFileSync(new URL(`${file}.safetensors`, folder))).tensors;
    // Far above what float32 loses, so that no sign is in doubt.
    expect(trace.get("margin")!.data[0]).toBeGreaterThan(3e-6);
    const model = lower(stepGraph(ascent, { ...attacked, goal }), "cpu");
    for (const level of checkedLevels) {
      let x = images.image!;
      let state = Object.fromEntries(
        ruleOf(ascent, attacked.task).state.map(({ name }) => [`${name}.image`, tensor("float32", x.shape) as Tensor]),
      );
      for (let step = 0; step < steps; step++) {
        const feeds: Record<string, Tensor> = {
          "clean.image": images.image!,
          "x.image": x,
          target: goal === "untargeted" ? label : target,
          epsilon: scalar(epsilon),
          step_size: scalar(stepSize),
          progress: scalar(step / steps),
          ...Object.fromEntries(Object.entries(state).map(([name, value]) => [`state.${name}`, value])),
        };
        for (const { name, shape } of model.inputs.map((v) => ({ name: v.name ?? "", shape: v.shape }))) {
          const [, stem, draw] = /^(noise|around)(\d+)/.exec(name) ?? [];
          if (stem) feeds[name] = noise(shape, Number(draw), step, stem === "around");
        }
        const out = await runModel(model, feeds, level);
        state = Object.fromEntries(Object.keys(state).map((name) => [name, out[`next_state.${name}`]!]));
        x = out["next.image"] as Tensor<"float32">;
        for (const [name, found] of [["x", x], ...Object.entries(state)] as const) {
          const reference = at(trace.get(name.replace(".image", ""))!, step);
          const largest = reference.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
          reference.data.forEach((v, i) => {
            const difference = Math.abs(Number(found.data[stored * reference.data.length + i]) - v);
            expect(difference, `${name} after step ${step}`).toBeLessThanOrEqual(name === "x" ? 1e-6 : 3e-5 * largest);
          });
        }
      }
    }
  });
});

it("a plan holds only those parts that were asked for", () => {
  expect(Object.keys(pgd().parameters)).toEqual([
    "norm",
    "epsilon",
    "steps",
    "stepSize",
    "schedule",
    "restarts",
    "randomStart",
    "grid",
  ]);
});

it("what would say nothing is refused", () => {
  expect(() => pgd({ kernel: "linear" })).toThrow("kernel says nothing without translation; give both or neither");
  expect(() => pgd({ resizeRate: 0.8 })).toThrow("resizeRate says nothing without inputDiversity");
  expect(() => pgd({ neighborhood: 2 })).toThrow("neighborhood says nothing without variance");
  expect(() => pgd({ translation: 4 })).toThrow("an odd whole number, such as 15");
  expect(() => miFgsm({ nesterov: "released", decay: 0 })).toThrow("with a decay of 0 none is kept");
});

it("what moves pixels is refused where each has a target", async () => {
  const aim = { task: smallModel("segmentation").task, goal: "untargeted" } as const;
  await expect(checkAttack(pgd({ inputDiversity: 0.5 }), aim)).rejects.toThrow("input diversity moves pixels");
  await checkAttack(pgd({ translation: 3, scales: 2, variance: 2 }), aim);
});
