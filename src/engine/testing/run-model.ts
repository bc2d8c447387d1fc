import * as ort from "onnxruntime-node";
import { Graph } from "../graph/graph.js";
import type { OnnxModel } from "../onnx/model.js";
import { writeModel } from "../onnx/write.js";
import { type DataType, type Tensor, tensor } from "../tensor/tensor.js";

export type OptimizationLevel = "disabled" | "basic" | "extended" | "layout" | "all";
export const checkedLevels = ["disabled", "all"] as const;

/** Runs a model once on native CPU, in this thread: for tests only. `outputs` restricts what is computed. */
export async function runModel(
  model: Graph | OnnxModel | Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  level: OptimizationLevel = "all",
): Promise<Record<string, Tensor>> {
  const session = await ort.InferenceSession.create(bytesOf(model), {
    graphOptimizationLevel: level,
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  try {
    const results = await session.run(
      Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, new ort.Tensor(t.type, t.data as never, t.shape)])),
    );
    return Object.fromEntries(
      Object.entries(results).map(([name, t]) => [name, tensor(t.type as DataType, t.dims as number[], t.data as Float32Array)]),
    );
  } finally {
    await session.release();
  }
}

function bytesOf(model: Graph | OnnxModel | Uint8Array): Uint8Array {
  if (model instanceof Uint8Array) return model;
  return writeModel(model instanceof Graph ? model.build() : model);
}
