import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import type { Mismatch } from "../../vision/framed-predictor.js";
import { decided } from "../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Prepared } from "../attack/prepare.js";
import { compareFeedings, viewOf } from "./feeding.js";
import { type Finding, good, unsure, wrong } from "./finding.js";
import { gradientReaches } from "./gradient.js";
import { labelRange } from "./labels.js";
import { scaleOf } from "./score.js";
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
  if (model.graph.outputs.length > 1 && spec.output.name === undefined)
    findings.push(
      unsure(
        "outputs",
        `The model has several outputs (${model.graph.outputs.map((o) => o.name).join(", ")}) and the first is read; name another with --of.`,
      ),
    );
  const { output, read, input, best, labelled } = await compareFeedings(engine, view, samples);
  findings.push(...output, await gradientReaches(engine, { ...view, spec: read }, samples[0]!), ...input);
  if (!labelled) return [...findings, unsure("labels", "Without labels nothing more can be told; give labelled data.")];
  const { kind, output: outputs } = tasks[spec.task];
  if (kind === "classes") findings.push(labelRange(samples, best.predictions[0]!.shape[0]!, spec, best.offset));
  if (outputs.fields.includes("scale")) findings.push(outputScale(best.predictions, samples, spec));
  return findings;
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
