import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { randomness } from "../../engine/summary/randomness.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import type { Mismatch } from "../../vision/framed-predictor.js";
import { decided } from "../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Prepared } from "../attack/prepare.js";
import { compareFeedings, rawOutputsByName, readAs, type View, viewOf } from "./feeding.js";
import { type Finding, good, unsure, wrong } from "./finding.js";
import { gradientReaches } from "./gradient.js";
import { labelsFit } from "./labels.js";
import { agreement, scaleOf } from "./score.js";
import { sizeRule } from "./size-rule.js";

/**
 * Runs a model on a few samples under every usual way to feed it, and says what looks wrong. Nothing is changed: the findings recommend.
 *
 * @param samples prepared with label offset 0 and the specification's ignored labels, which the model sees in one size.
 */
export async function checkup(
  engine: Engine,
  model: OnnxModel,
  spec: ModelSpec,
  samples: readonly Prepared[],
  mismatch: Mismatch = "pad",
): Promise<Finding[]> {
  const view = await viewOf(engine, model, spec, samples, mismatch);
  const decision = decided(view.fixed, spec);
  if (decision) {
    const [last] = decision.ends.lastValues;
    return [wrong("gradient", `No attack can follow this model. ${decision.message}`, ...(last ? ["--of", last.name] : []))];
  }
  const findings: Finding[] = [await sizeRule(engine, model, spec)];
  const rule = tasks[spec.task].output;
  if (rule.look) findings.push(...rule.look(await rawOutputsByName(engine, view, samples), spec));
  if (model.graph.outputs.length > 1 && spec.output.name === undefined && rule.takes === "first")
    findings.push(
      unsure(
        "outputs",
        `The model has several outputs (${model.graph.outputs.map((o) => o.name).join(", ")}) and the first is read; name another with --of.`,
      ),
    );
  const random = randomness(view.fixed.outputs.values());
  if (random) findings.push(unsure("repeats", random));
  const { output, read, resolution, input, best, labeled } = await compareFeedings(engine, view, samples);
  findings.push(...output, resolution, await gradientReaches(engine, { ...view, spec: read }, samples[0]!), ...input);
  if (!labeled) return [...findings, unsure("labels", "Without labels nothing more can be told; give labeled data.")];
  const { kind, output: outputs } = tasks[spec.task];
  const labels = labelsFit(samples, best, spec);
  if (labels) findings.push(labels);
  const meaning =
    kind === "values" && outputs.meanings.length > 1 ? await meaningOf(engine, { ...view, spec: read }, samples) : undefined;
  if (meaning) findings.push(meaning);
  // The scale of what means something else would say nothing.
  if (outputs.fields.includes("scale") && meaning?.verdict !== "wrong")
    findings.push(outputScale(best.predictions, samples, spec));
  return findings;
}

/** Which of the things that an output may mean goes with the truth: depth grows where inverse depth falls. */
async function meaningOf(engine: Engine, view: View, samples: readonly Prepared[]): Promise<Finding> {
  const { task, output } = view.spec;
  const rated: { readonly meaning: string; readonly found: number }[] = [];
  for (const meaning of tasks[task].output.meanings)
    rated.push({ meaning, found: agreement(await readAs(engine, view, samples, meaning), samples) });
  const top = rated.reduce((a, b) => (b.found > a.found ? b : a));
  const own = rated.find(({ meaning }) => meaning === output.meaning)!;
  const said = rated.map(({ meaning, found }) => `${found.toFixed(2)} as ${meaning}`).join(", ");
  if (top.found < 0.3)
    return unsure("meaning", `Predictions and truth hardly agree (correlation ${said}), so what they mean cannot be told.`);
  if (own.found >= top.found - 0.2) return good("meaning", `${own.meaning}: correlation with the truth ${said}.`);
  return wrong(
    "meaning",
    `The output looks like ${top.meaning}, not ${own.meaning}: correlation with the truth ${said}.`,
    "--meaning",
    top.meaning,
  );
}

function outputScale(predictions: readonly Tensor[], samples: readonly Prepared[], spec: ModelSpec): Finding {
  const { factor, correlation } = scaleOf(predictions, samples);
  if (Math.abs(correlation) < 0.8)
    return unsure(
      "output scale",
      `Predictions and truth hardly agree (correlation ${correlation.toFixed(2)}), so their scale cannot be told.`,
    );
  if (Math.abs(factor - 1) < 0.2)
    return good("output scale", `Predictions and truth have one scale (ratio ${factor.toFixed(3)}).`);
  const scale = Number((spec.output.scale * factor).toPrecision(3));
  return wrong(
    "output scale",
    `The truth is ${factor.toFixed(3)} times the prediction (correlation ${correlation.toFixed(2)}).`,
    "--output-scale",
    String(scale),
  );
}
