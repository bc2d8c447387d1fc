import { foldBatchNormalization } from "../../engine/compile/fold-batch-normalization.js";
import { type Evaluate, type SpecialiseOptions, specialise } from "../../engine/compile/specialise.js";
import { embed } from "../../engine/graph/embed.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Predictor } from "../predictor.js";
import { imageRoles, type ModelSpec, SpecError } from "./model-spec.js";
import { postprocess, preprocess } from "./splice.js";

export interface PredictorSize {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

/**
 * An ONNX model as a `Predictor` for one image size: specialised, BatchNormalization folded, pre- and postprocessing spliced in.
 *
 * @throws ModelError, SpecError in one sentence when model, specification and size do not fit each other.
 */
export async function modelPredictor(
  model: OnnxModel,
  spec: ModelSpec,
  size: PredictorSize,
  evaluate: Evaluate,
): Promise<Predictor> {
  return predictorOf(foldBatchNormalization(await fixedModel(model, spec, size, evaluate)), spec, size);
}

/**
 * The model specialised to one image size, without preprocessing.
 *
 * @param options `keep: "weights"` for methods that exchange weights.
 */
export function fixedModel(
  model: OnnxModel,
  spec: ModelSpec,
  { batch, height, width }: PredictorSize,
  evaluate: Evaluate,
  options: SpecialiseOptions = {},
): Promise<OnnxModel> {
  const channels = spec.channels === "gray" ? 1 : 3;
  const shape = spec.layout === "nhwc" ? [batch, height, width, channels] : [batch, channels, height, width];
  const names = Object.values(inputsByRole(model, spec));
  return specialise(model, Object.fromEntries(names.map((name) => [name, shape])), evaluate, options);
}

/** A model that is specialised already as a `Predictor`: pre- and postprocessing spliced in. */
export function predictorOf(fixed: OnnxModel, spec: ModelSpec, { batch, height, width }: PredictorSize): Predictor {
  const inputs = inputsByRole(fixed, spec);
  const outputName = spec.output.name ?? fixed.graph.outputs[0]!.name;
  if (!fixed.graph.outputs.some((o) => o.name === outputName)) {
    throw new SpecError(
      `The model has no output "${outputName}"; its outputs are ${fixed.graph.outputs.map((o) => o.name).join(", ")}.`,
    );
  }
  return {
    images: Object.fromEntries(Object.keys(inputs).map((role) => [role, [batch, 3, height, width]])),
    predict: (graph, images) => {
      const feeds = Object.fromEntries(Object.entries(inputs).map(([role, name]) => [name, preprocess(images[role]!, spec)]));
      const { outputs } = embed(graph, fixed, feeds);
      return postprocess(outputs[outputName]!, spec, [height, width]);
    },
  };
}

function inputsByRole(model: OnnxModel, spec: ModelSpec): Record<string, string> {
  const roles: readonly string[] = imageRoles[spec.task];
  const free = model.graph.inputs.filter((i) => !model.graph.initializers.has(i.name)).map((i) => i.name);
  const given = spec.inputs ?? Object.fromEntries(roles.map((role, i) => [role, free[i] ?? ""]));
  for (const role of roles)
    if (!given[role])
      throw new SpecError(
        `${spec.task} needs the image${roles.length > 1 ? "s" : ""} ${roles.join(" and ")}, but the model has ${free.length} input(s): ${free.join(", ")}.`,
      );
  for (const [role, name] of Object.entries(given)) {
    if (!roles.includes(role)) throw new SpecError(`${spec.task} has no image "${role}"; it has ${roles.join(", ")}.`);
    if (!free.includes(name))
      throw new SpecError(`The model has no input "${name}" (for ${role}); its inputs are ${free.join(", ")}.`);
  }
  const unused = free.filter((name) => !Object.values(given).includes(name));
  if (unused.length > 0)
    throw new SpecError(`Nothing feeds the model's input${unused.length > 1 ? "s" : ""} ${unused.join(", ")}.`);
  return given;
}
