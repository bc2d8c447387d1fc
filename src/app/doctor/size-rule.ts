import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { fixedModel, type PredictorSize } from "../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { type Finding, good, unsure, wrong } from "./finding.js";

/** Of which number the sides of images must be multiples: tries ever rounder sizes until the model takes them. */
export async function sizeRule(engine: Engine, model: OnnxModel, spec: ModelSpec): Promise<Finding> {
  const { size } = spec;
  if (size.rule === "fixed") return good("size", `The model takes images of ${size.height}x${size.width} (height x width).`);
  const said = size.rule === "multiple" ? size.of : 1;
  for (const of of [1, 2, 4, 8, 16, 32, 64, 128]) {
    // Both sides odd multiples, and of different lengths, so that nothing fits by chance.
    const sides: PredictorSize = { batch: 1, height: 128 + of, width: 256 + of };
    if (!(await takes(engine, model, spec, sides))) continue;
    if (said % of === 0) return good("size", of === 1 ? "The model takes images of any size." : `Multiples of ${of} are taken.`);
    return wrong("size", `The model takes only images whose sides are multiples of ${of}.`, "--size-rule", `multiple:${of}`);
  }
  return unsure("size", "No size that was tried is taken by the model; if it has one size, say --size-rule fixed:HEIGHTxWIDTH.");
}

async function takes(engine: Engine, model: OnnxModel, spec: ModelSpec, size: PredictorSize): Promise<boolean> {
  try {
    await fixedModel(model, spec, size, (m) => engine.evaluate(m));
    return true;
  } catch {
    return false;
  }
}
