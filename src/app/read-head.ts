import type { OnnxModel } from "../engine/onnx/model.js";
import type { ModelSpec } from "../vision/spec/model-spec.js";
import { headIsOpen, withHeadOf } from "../vision/spec/read-head.js";

/** `withHeadOf` where no engine runs yet: one is started for models whose head is open, and for no others. */
export async function withHeadRead(file: OnnxModel, spec: ModelSpec): Promise<ModelSpec> {
  if (!headIsOpen(spec)) return spec;
  const { createEngine } = await import("../engine/runtime/node.js");
  const engine = await createEngine({ threads: 1 });
  try {
    return await withHeadOf(file, spec, (m) => engine.evaluate(m));
  } finally {
    await engine.dispose();
  }
}
