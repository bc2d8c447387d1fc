import { describe, expect, it } from "vitest";
import { lower } from "../../../engine/compile/lower.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../../engine/testing/run-model.js";
import { apgd, apgdReleased, attacks } from "../catalogue/index.js";
import { ascentOf, attackOf, ownParameters } from "../definition.js";
import { at, type GoldenEntry, goldenEntries, goldenFolder, goldenModel, goldenTensors } from "../testing/golden-model.js";
import type { ProjectedAscent } from "./ascent.js";
import { ruleOf } from "./descent/rule-of.js";
import { startGraph, stepGraph } from "./step-graph.js";

const entries = goldenEntries();

describe.skipIf(!goldenFolder)("golden attack traces, step by step from each stored iterate", () => {
  it.each(entries.filter((e) => e.attack).map((e) => [e.file, e] as const))("%s", async (_, entry) => {
    for (const level of checkedLevels) await checkTrace(entry, level);
  });

  it.each(entries.filter((e) => e.rules).map((e) => [e.file, e] as const))("%s", async (_, entry) => {
    await checkApgd(entry);
  });
});

async function checkTrace(entry: GoldenEntry, level: (typeof checkedLevels)[number]): Promise<void> {
  const folder = entry.file.split("/")[0]!;
  const { attacked, images, noise, label, target, roles } = await goldenModel(folder);
  const attack = await ascentFor(entry);
  const trace = goldenTensors(entry.file);
  const x = (t: number, i: number) => at(trace.get(roles.length > 1 ? `x_${i + 1}` : "x")!, t);
  const gradient = (t: number, i: number) => at(trace.get(roles.length > 1 ? `gradient_${i + 1}` : "gradient")!, t);
  const clean = Object.fromEntries(roles.map((r) => [`clean.${r}`, images[r]!]));
  if (attack.start === "random") {
    const start = await runModel(
      startGraph(attack, attacked),
      { ...clean, ...Object.fromEntries(roles.map((r) => [`start.${r}`, noise[r]!])), epsilon: scalar(entry.eps) },
      level,
    );
    roles.forEach((r, i) => expectClose(start[`next.${r}`]!, x(0, i), 1e-6, `start ${r}`));
  }
  const model = lower(stepGraph(attack, attacked), "cpu");
  for (let t = 0; t < entry.iterations; t++) {
    const feeds: Record<string, Tensor> = {
      ...clean,
      target: entry.targeted ? target : label,
      epsilon: scalar(entry.eps),
      step_size: scalar(entry.alpha),
      progress: scalar(t / entry.iterations),
    };
    roles.forEach((r, i) => {
      feeds[`x.${r}`] = x(t, i);
    });
    const out = await runModel(model, feeds, level);
    roles.forEach((r, i) => {
      const reference = gradient(t, i);
      const largest = reference.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      expectClose(out[`gradient.${r}`]!, reference, 2e-5 * largest, `gradient ${r} at step ${t}`);
      expectClose(out[`next.${r}`]!, x(t + 1, i), 1e-6, `next ${r} after step ${t}`);
    });
    expectClose(out.weight!, at(trace.get("weight")!, t), 1e-5, `weight at step ${t}`);
    const objective =
      (out.objective!.data as Float32Array).reduce((a, b) => a + b, 0) /
      (attack.weight.batch === "mean" ? out.objective!.data.length : 1);
    const stored = Number(trace.get("loss")!.data[t]);
    expect(Math.abs(objective - stored), `loss at step ${t}`).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(stored)));
    const plain = (out.loss!.data as Float32Array).reduce((a, b) => a + b, 0) / out.loss!.data.length;
    expect(Math.abs(plain - Number(trace.get("loss_plain")!.data[t])), `plain loss at step ${t}`).toBeLessThanOrEqual(
      1e-5 * Math.max(1, plain),
    );
  }
}

async function checkApgd(entry: GoldenEntry): Promise<void> {
  const { attacked, images, label } = await goldenModel("apgd");
  const attack = await ascentOf(
    (entry.rules === "paper" ? apgd : apgdReleased)({
      norm: entry.norm === "linf" ? "l_inf" : "l_2",
      epsilon: entry.eps,
      steps: entry.iterations,
    }),
  );
  const trace = goldenTensors(entry.file);
  const batch = label.shape[0]!;
  const model = lower(stepGraph(attack, attacked), "cpu");
  const start = trace.get("x_start")! as Tensor<"float32">;
  let state: Record<string, Tensor> = Object.fromEntries(
    ruleOf(attack, attacked.task).state.map(({ name, per, initial }) => [
      per === "image" ? `${name}.image` : name,
      initial === "start"
        ? start
        : tensor(
            "float32",
            per === "image" ? start.shape : [batch],
            fill(per === "image" ? start.data.length : batch, initial === "2eps" ? 2 * entry.eps : (initial as number)),
          ),
    ]),
  );
  for (let t = 0; t <= entry.iterations; t++) {
    const feeds: Record<string, Tensor> = {
      "clean.image": images.image!,
      "x.image": at(trace.get("x")!, t),
      target: label,
      epsilon: scalar(entry.eps),
      step_size: scalar(0),
      progress: scalar(t / entry.iterations),
    };
    for (const [name, value] of Object.entries(ruleOf(attack, attacked.task).schedule!(t, entry.iterations)))
      feeds[name] = scalar(value);
    for (const [name, value] of Object.entries(state)) feeds[`state.${name}`] = value;
    const out = await runModel(model, feeds);
    state = Object.fromEntries(Object.keys(state).map((name) => [name, out[`next_state.${name}`]!]));
    expectClose(out.objective!, at(trace.get("loss")!, t), 2e-5, `loss at ${t}`);
    expectClose(state.best_objective!, at(trace.get("best_loss")!, t), 2e-5, `best loss at ${t}`);
    if (t < entry.iterations) {
      expectClose(state.step!, at(trace.get("step_size")!, t), 1e-6, `step size at ${t}`);
      expectClose(out["next.image"]!, at(trace.get("x")!, t + 1), 2e-6, `iterate after step ${t}`);
    }
  }
  expectClose(state["peak.image"]!, trace.get("x_best")!, 2e-6, "best iterate");
}

function ascentFor(entry: GoldenEntry): Promise<ProjectedAscent> {
  const options = {
    norm: entry.norm === "linf" ? "l_inf" : "l_2",
    epsilon: entry.eps,
    stepSize: entry.alpha,
    steps: entry.iterations,
    ...((entry.loss === "l1" || entry.loss === "l2") && { loss: entry.loss }),
    ...(entry.attack === "cospgd_columns" && { alignment: "columns" }),
  };
  const definition = attacks[entry.attack === "cospgd_columns" ? "cospgd" : entry.attack];
  return ascentOf(attackOf(definition, ownParameters(definition, options)), entry.targeted ? "targeted" : "untargeted");
}

const scalar = (value: number): Tensor => tensor("float32", [], [value]);
const fill = (n: number, value: number) => new Float32Array(n).fill(value);

function expectClose(actual: Tensor, reference: Tensor, tolerance: number, what: string): void {
  expect(actual.shape, what).toEqual(reference.shape);
  let worst = 0;
  (reference.data as Float32Array).forEach((v, i) => {
    const difference = Math.abs(Number(actual.data[i]) - v);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  });
  expect(worst, what).toBeLessThanOrEqual(tolerance);
}
