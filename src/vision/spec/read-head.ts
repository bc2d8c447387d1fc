import type { Evaluate } from "../../engine/compile/specialize.js";
import { embed } from "../../engine/graph/embed.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { cast } from "../../engine/operators/index.js";
import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { tasks } from "../tasks/index.js";
import { fixedModel, outputsOf } from "./model-predictor.js";
import type { ModelSpec } from "./model-spec.js";

/** Sides of pictures that models of free size are read at, one after the other until one is taken. */
const sides = [320, 224, 640];

/** Whether a head is still to be told: the task has heads, nobody says it, and the file leaves it open. */
export const headIsOpen = (spec: ModelSpec): boolean =>
  tasks[spec.task].output.recognizeRead !== undefined && spec.output.head === undefined;

/**
 * The specification with the head that a model's outputs look like, where it is open: the model is read for one size of pictures. Scores are measured by the head's own suppression, so
 * it must be known before anything is measured.
 */
export async function withHeadOf(file: OnnxModel, spec: ModelSpec, evaluate: Evaluate): Promise<ModelSpec> {
  const { recognizeRead } = tasks[spec.task].output;
  if (!recognizeRead || !headIsOpen(spec)) return spec;
  const { size } = spec;
  const tried = size.rule === "fixed" ? [size] : sides.map((side) => ({ height: side, width: side }));
  for (const { height, width } of tried) {
    // What cannot be read at this size is said where it is read for good.
    const fixed = await fixedModel(file, spec, { batch: 1, height, width }, evaluate).catch(() => undefined);
    const head = fixed && (await recognizeRead(outputsOf(fixed, spec), spec, (v) => onGray(fixed, v, evaluate)));
    if (head !== undefined) return { ...spec, output: { ...spec.output, head: head as ModelSpec["output"]["head"] } };
  }
  return spec;
}

/** What a model makes of pictures that are 0.5 everywhere, whatever range it takes. */
async function onGray(fixed: Graph, output: Value, evaluate: Evaluate): Promise<Tensor> {
  const graph = new Graph();
  const gray = fixed.inputs.map(({ name, type, shape }) => {
    const values = graph.constant(tensor("float32", shape, new Float32Array(sizeOf(shape)).fill(0.5)));
    return [name, cast(values, type)] as const;
  });
  const { outputs } = embed(graph, fixed, Object.fromEntries(gray));
  const [name] = [...fixed.outputs].find(([, v]) => v === output)!;
  graph.output("seen", cast(outputs[name]!, "float32"));
  return (await evaluate(graph)).seen!;
}
