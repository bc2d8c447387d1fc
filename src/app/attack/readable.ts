import { Graph } from "../../engine/graph/graph.js";
import { framed } from "../../vision/framed-predictor.js";
import { SizeError, SpecError } from "../../vision/spec/error.js";
import { modelPredictor, outputsAreFixed, type PredictorSize } from "../../vision/spec/model-predictor.js";
import { tasks } from "../../vision/tasks/index.js";
import { type AttackContext, preparedSample } from "./run-attack.js";

/**
 * Reads a model whose file leaves its outputs' axes open for the size of the first picture, before a run is opened, all pictures are looked at and anything is compiled: outputs that
 * are not what the specification says would otherwise show batch by batch.
 *
 * @param indices of the samples, in order.
 * @throws SpecError where the outputs cannot be what the specification says.
 */
export async function demandReadable(
  context: Pick<AttackContext, "engine" | "model" | "plan" | "dataset">,
  [first]: readonly number[],
): Promise<void> {
  const { engine, model, plan } = context;
  const { spec, fit } = plan;
  if (first === undefined || outputsAreFixed(model, spec)) return;
  try {
    const { height, width } = await preparedSample(context, first);
    const predictorFor = (size: PredictorSize) => modelPredictor(model, spec, size, (m) => engine.evaluate(m));
    const predictor =
      fit.mismatch === "tile"
        ? await predictorFor({ batch: 1, ...fit.tiles })
        : await framed({ batch: 1, height, width }, spec.size, fit.mismatch, tasks[spec.task], predictorFor);
    const graph = new Graph();
    const images = Object.entries(predictor.images).map(([role, shape]) => [role, graph.input(role, "float32", shape)] as const);
    predictor.predict(graph, Object.fromEntries(images));
  } catch (error) {
    // All else is of this picture, or ends the run where it is met.
    if (error instanceof SpecError && !(error instanceof SizeError)) throw error;
  }
}
