import type { OnnxModel } from "../engine/onnx/model.js";
import { fixedModel, outputsOf } from "../vision/spec/model-predictor.js";
import type { ModelSpec } from "../vision/spec/model-spec.js";
import { tasks } from "../vision/tasks/index.js";

/** Sides of pictures that models of free size are read at, one after the other until one is taken. */
const sides = [320, 224, 640];

/**
 * The specification with the head that a model's outputs look like, where nobody says it and the file leaves their axes open: the model is read for one size of pictures, as
 * sizes of heads tell, and scores are measured by the head's own suppression.
 */
export async function withHeadRead(file: OnnxModel, spec: ModelSpec): Promise<ModelSpec> {
  const { recognizeRead } = tasks[spec.task].output;
  if (!recognizeRead || spec.output.head !== undefined) return spec;
  const { createEngine } = await import("../engine/runtime/node.js");
  const engine = await createEngine({ threads: 1 });
  try {
    const { size } = spec;
    const tried = size.rule === "fixed" ? [size] : sides.map((side) => ({ height: side, width: side }));
    for (const { height, width } of tried) {
      // What cannot be read at this size is said where it is read for good.
      const fixed = await fixedModel(file, spec, { batch: 1, height, width }, (m) => engine.evaluate(m)).catch(() => undefined);
      const head = fixed && recognizeRead(outputsOf(fixed, spec), spec);
      if (head !== undefined) return { ...spec, output: { ...spec.output, head: head as ModelSpec["output"]["head"] } };
    }
    return spec;
  } finally {
    await engine.dispose();
  }
}
