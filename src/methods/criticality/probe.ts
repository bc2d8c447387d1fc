import type { Evaluate } from "../../engine/compile/specialize.js";
import { neededNodes } from "../../engine/graph/copy.js";
import { Graph } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { framed, framing, type Mismatch } from "../../vision/framed-predictor.js";
import { fixedModel, type PredictorSize, predictorOf } from "../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { findLayers, type LayeredModel } from "./find-layers.js";
import { type FoldedNormalization, foldedNormalization } from "./folded.js";
import type { PredictionKind } from "./measures.js";
import { ownTensors } from "./own-tensors.js";

/** A model made ready for resets: images in [0, 1] by role in, the prediction in canonical form out. */
export interface Probe extends LayeredModel {
  readonly kind: PredictionKind;
  readonly folded: FoldedNormalization | undefined;
}

/**
 * Fixes a model's size, finds its layers and splices preprocessing and postprocessing in. What the specification says of the output makes
 * probabilities logits again, so the softmax of the measures is applied once.
 *
 * @param file as `readModel` yields it. @param size of the pictures.
 * @param mismatch what happens to pictures whose size the model does not take; left out, they have one that it takes.
 * @throws ModelError, SpecError when model, specification and size do not fit each other.
 */
export async function probeOf(
  file: OnnxModel,
  spec: ModelSpec,
  size: PredictorSize,
  evaluate: Evaluate,
  mismatch?: Mismatch,
): Promise<Probe> {
  const task = tasks[spec.task];
  const seen = mismatch ? { batch: size.batch, ...framing(size, spec.size, mismatch).seen } : size;
  const fixed = await fixedModel(ownTensors(file), spec, seen, evaluate, { keep: "weights" });
  const layered = await findLayers(fixed, evaluate);
  const predictor = mismatch
    ? await framed(size, spec.size, mismatch, task, async (own) => predictorOf(layered.graph, spec, own))
    : predictorOf(layered.graph, spec, size);
  const graph = new Graph();
  // Weights come first: what is made on the way to the model shall not take their names, by which layers are found.
  for (const { name, trained } of layered.layers.flatMap((layer) => layer.parameters)) graph.constant(trained, name);
  const images = Object.fromEntries(
    Object.entries(predictor.images).map(([role, shape]) => [role, graph.input(role, "float32", shape)]),
  );
  graph.output("prediction", predictor.predict(graph, images));
  const kind = task.kind === "classes" ? "classes" : "continuous";
  const { layers } = layered;
  return { graph, layers: readBy(graph, layers), kind, folded: foldedNormalization(file, layers) };
}

/** Embedding may have named the nodes' outputs anew; the parameters' names tell where layers sit. */
function readBy(graph: Graph, layers: LayeredModel["layers"]): LayeredModel["layers"] {
  const nodes = neededNodes(graph.outputs.values());
  return layers.map((layer) => {
    const names = new Set(layer.parameters.map((p) => p.name));
    return { ...layer, reads: nodes.filter((n) => n.inputs.some((v) => v && names.has(v.name))).map((n) => n.outputs[0]!.name) };
  });
}
