import { waysTo } from "../../engine/autodiff/gradients.js";
import { ZeroGradientError } from "../../engine/autodiff/obstacles.js";
import { foldBatchNormalization } from "../../engine/compile/fold-batch-normalization.js";
import { UnknownShapeError } from "../../engine/compile/known-part.js";
import { type Evaluate, type SpecializeOptions, specialize } from "../../engine/compile/specialize.js";
import { embed } from "../../engine/graph/embed.js";
import type { Graph, Value } from "../../engine/graph/graph.js";
import type { OnnxGraph, OnnxModel } from "../../engine/onnx/model.js";
import { cast, concat, findOperator, slice } from "../../engine/operators/index.js";
import { isFloat } from "../../engine/tensor/tensor.js";
import type { Predictor } from "../predictor.js";
import { tasks } from "../tasks/index.js";
import type { DeclaredOutput } from "../tasks/task.js";
import { dequantized } from "./dequantized.js";
import { SpecError } from "./error.js";
import { type ModelSpec, namedOutputs } from "./model-spec.js";
import { single } from "./output.js";
import { postprocess, preprocess } from "./splice.js";

export interface PredictorSize {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

/**
 * An ONNX model as a `Predictor` for one image size: specialized, BatchNormalization folded, pre- and postprocessing spliced in.
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
 * The model specialized to one image size, without preprocessing.
 *
 * @throws ModelError as `specialize`; SpecError where the task knows why shapes are not known.
 * @param options `keep: "weights"` for methods that exchange weights.
 */
export async function fixedModel(
  model: OnnxModel,
  spec: ModelSpec,
  { batch, height, width }: PredictorSize,
  evaluate: Evaluate,
  options: SpecializeOptions = {},
): Promise<Graph> {
  const channels = spec.channels === "gray" ? 1 : 3;
  const own = checkSpec(model, spec).batch ?? batch;
  const shape = spec.layout === "nhwc" ? [own, height, width, channels] : [own, channels, height, width];
  const names = Object.values(inputsByRole(fileNames(model), spec));
  try {
    return await specialize(model, Object.fromEntries(names.map((name) => [name, shape])), evaluate, options);
  } catch (error) {
    const { unshaped } = tasks[spec.task].output;
    const why = error instanceof UnknownShapeError && unshaped?.(new Set(model.graph.nodes.map(({ op }) => op)));
    throw why ? new SpecError(why) : error;
  }
}

/**
 * A model that is specialized already as a `Predictor`: pre- and postprocessing spliced in. A model whose file fixes another batch size is applied
 * to the batch in parts, the last one filled up with copies of the last image. Images and predictions are float32 whatever type the model
 * computes in: what it eats is cast to its inputs' type, what it yields is cast back.
 *
 * @throws ZeroGradientError where the output is a decision (see `decided`).
 * @param read takes the raw outputs to the prediction; one that gives back one of them shows that itself.
 */
export function predictorOf(
  fixed: Graph,
  spec: ModelSpec,
  { batch, height, width }: PredictorSize,
  read: typeof postprocess = postprocess,
): Predictor {
  const inputs = inputsByRole(namesOf(fixed), spec);
  const predicted = outputNames(namesOf(fixed), spec);
  const decision = decided(fixed, spec);
  if (decision) throw decision;
  const own = fixed.values.get(Object.values(inputs)[0]!)!.shape[0]!;
  return {
    images: Object.fromEntries(Object.keys(inputs).map((role) => [role, [batch, 3, height, width]])),
    predict: (graph, images) => {
      const apply = (from: number, to: number): Value => {
        const feeds = Object.fromEntries(
          Object.entries(inputs).map(([role, name]) => {
            const eaten = preprocess(part(images[role]!, from, to, own), spec);
            return [name, cast(eaten, fixed.values.get(name)!.type)];
          }),
        );
        const { outputs } = embed(graph, fixed, feeds);
        const [first, ...others] = predicted.map((name) => dequantized(outputs[name]!));
        const prediction = read([first!, ...others], spec, [height, width]);
        return part(single(prediction), 0, to - from, to - from);
      };
      const parts = Array.from({ length: Math.ceil(batch / own) }, (_, i) => apply(i * own, Math.min(batch, (i + 1) * own)));
      return parts.length === 1 ? parts[0]! : concat(parts, 0);
    },
  };
}

/**
 * Why an output cannot be attacked, where it is a decision: of integers (ArgMax), or of such cast to numbers. Undefined where something
 * differentiable leads from an image to it.
 */
export function decided(fixed: Graph, spec: ModelSpec): ZeroGradientError | undefined {
  const names = outputNames(namesOf(fixed), spec);
  const inputs = Object.values(inputsByRole(namesOf(fixed), spec));
  for (const name of names) {
    const { reached, ends } = waysTo(
      [fixed.outputs.get(name)!],
      inputs.map((input) => fixed.values.get(input)!),
    );
    if (reached) continue;
    const decision = `The prediction "${name}" is a decision, and every attack needs the scores before it: to follow their gradient, or to see in them alone whether it gets nearer.`;
    return new ZeroGradientError([name], inputs, ends, ends.nodes.length > 0 ? decision : undefined);
  }
  return undefined;
}

/** Entries `from` to `to` along the batch axis, the last one repeated up to `count`. */
function part(x: Value, from: number, to: number, count: number): Value {
  const entries = from === 0 && to === x.shape[0] ? x : slice(x, [from], [to], { axes: [0] });
  if (to - from === count) return entries;
  const last = slice(x, [to - 1], [to], { axes: [0] });
  return concat([entries, ...new Array<Value>(count - (to - from)).fill(last)], 0);
}

/** What a model's file itself fixes of the images it takes; absent where the axis is free. */
export interface FixedAxes {
  /** 1 also where the axis is free, but a prediction would hang on the other images of its batch. */
  readonly batch?: number;
  readonly height?: number;
  readonly width?: number;
}

/**
 * Holds model and specification against each other before any work is done: images, channels, axes, output.
 *
 * @returns the axes that the file fixes.
 * @throws SpecError in one sentence where they do not fit each other.
 */
export function checkSpec(model: OnnxModel, spec: ModelSpec): FixedAxes {
  const inputs = inputsByRole(fileNames(model), spec);
  outputNames(fileNames(model), spec);
  const channels = spec.channels === "gray" ? 1 : 3;
  const axis = spec.layout === "nchw" ? 1 : 3;
  let axes: FixedAxes = mixesSamples(model.graph, model.opset) ? { batch: 1 } : {};
  for (const name of Object.values(inputs)) {
    const { type, shape } = model.graph.inputs.find((i) => i.name === name)!;
    if (!isFloat(type))
      throw new SpecError(`The model's input "${name}" is ${type}; images are floating point, so export it with a float input.`);
    if (!shape) continue;
    const stated = `The model's input "${name}" is [${shape.join(", ")}]`;
    if (shape.length !== 4)
      throw new SpecError(
        `${stated}; ${spec.task} feeds images, which have four axes${shape.length === 3 && shape.includes(channels) ? `: export it for a batch of images, [batch, ${channels}, height, width]` : ""}.`,
      );
    const given = shape[axis];
    if (typeof given === "number" && given !== channels) {
      const other = shape[4 - axis];
      const advice =
        given !== 1 && given !== 3 && (other === 1 || other === 3)
          ? `say --layout ${spec.layout === "nchw" ? "nhwc" : "nchw"}`
          : given === 1
            ? "say --channels gray"
            : given === 3
              ? "leave --channels gray out"
              : "it takes something else than images";
      throw new SpecError(
        `${stated}, where ${spec.channels} images in ${spec.layout} order have ${channels} channel(s); ${advice}.`,
      );
    }
    const [batch, height, width] = [shape[0], shape[axis === 1 ? 2 : 1], shape[axis === 1 ? 3 : 2]];
    axes = {
      ...axes,
      ...(typeof batch === "number" && { batch }),
      ...(typeof height === "number" && { height }),
      ...(typeof width === "number" && { width }),
    };
  }
  return axes;
}

/** Whether a graph, or the body of a branch or loop in it, has a node that computes over all samples of a batch: the range of dynamic quantization. */
const mixesSamples = ({ nodes }: OnnxGraph, opset: number): boolean =>
  nodes.some(
    ({ op, domain, attributes }) =>
      findOperator(op, domain, domain === "" ? opset : undefined)?.mixesSamples ||
      Object.values(attributes).some((attribute) => attribute.kind === "graph" && mixesSamples(attribute.value, opset)),
  );

/**
 * The specification with the image size that the file fixes, where it fixes one.
 *
 * @throws SpecError as `checkSpec`, and where the size rule says something else than the file.
 */
export function completeSpec(model: OnnxModel, spec: ModelSpec): ModelSpec {
  const { height, width } = checkSpec(model, spec);
  return withHead(model, withSize(spec, height, width));
}

/** How many classes the file says that its output has, where the task's classes are an axis of it; undefined where it does not say. */
export function declaredClasses({ graph }: OnnxModel, spec: ModelSpec): number | undefined {
  const { kind, extent } = tasks[spec.task];
  if (kind !== "classes") return undefined;
  const [wanted = graph.outputs[0]?.name] = namedOutputs(spec) ?? [];
  const shape = graph.outputs.find(({ name }) => name === wanted)?.shape ?? [];
  const size = shape.at(extent === "pixels" && spec.output.layout === "nhwc" ? -1 : 1);
  if (typeof size !== "number") return undefined;
  return size === 1 ? 2 : size;
}

/** The specification with the head that the file's outputs look like, where the task has heads and none is said. */
function withHead(model: OnnxModel, spec: ModelSpec): ModelSpec {
  const { recognize } = tasks[spec.task].output;
  if (!recognize || spec.output.head !== undefined) return spec;
  const head = recognize(declaredOutputs(model, spec)) as ModelSpec["output"]["head"];
  return head === undefined ? spec : { ...spec, output: { ...spec.output, head } };
}

/**
 * Holds the head that a specification says against the outputs that the file declares, before any work is done.
 *
 * @throws SpecError where they cannot be such a head. What free axes leave open shows when the model is read for a size of pictures.
 */
export function checkHead(model: OnnxModel, spec: ModelSpec): void {
  const { head } = spec.output;
  if (head === undefined) return;
  tasks[spec.task].output.checkHead?.(head, declaredOutputs(model, spec), new Set(model.graph.nodes.map(({ op }) => op)));
}

/** The outputs that are read of a model that is specialized. */
export const outputsOf = (fixed: Graph, spec: ModelSpec): readonly Value[] =>
  outputNames(namesOf(fixed), spec).map((name) => fixed.outputs.get(name)!);

/** Whether the file says every axis of the outputs that are read but the batch's, so that they were held against the specification before. */
export const outputsAreFixed = (model: OnnxModel, spec: ModelSpec): boolean =>
  declaredOutputs(model, spec).every(({ shape }) => shape.length > 0 && shape.slice(1).every((n) => typeof n === "number"));

/** The outputs that the specification names, or all. */
function declaredOutputs({ graph }: OnnxModel, spec: ModelSpec): DeclaredOutput[] {
  const wanted = namedOutputs(spec);
  return graph.outputs
    .filter(({ name }) => wanted?.includes(name) ?? true)
    .map(({ name, shape = [] }) => ({ name, shape, op: graph.nodes.findLast((n) => n.outputs.includes(name))?.op }));
}

function withSize(spec: ModelSpec, height: number | undefined, width: number | undefined): ModelSpec {
  const { size } = spec;
  if (height === undefined || width === undefined) return spec;
  const suits =
    size.rule === "any" ||
    (size.rule === "multiple" ? height % size.of === 0 && width % size.of === 0 : size.height === height && size.width === width);
  if (!suits) {
    const said = size.rule === "multiple" ? `multiples of ${size.of}` : `${size.height}x${size.width}`;
    throw new SpecError(
      `The model takes images of ${height}x${width} (height x width) only, not ${said}; leave the size rule out.`,
    );
  }
  return { ...spec, size: { rule: "fixed", height, width } };
}

/** What a model takes and gives, by name. */
interface Names {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const namesOf = (graph: Graph): Names => ({ inputs: graph.inputs.map((v) => v.name), outputs: [...graph.outputs.keys()] });

const fileNames = ({ graph }: OnnxModel): Names => ({
  inputs: graph.inputs.filter((i) => !graph.initializers.has(i.name)).map((i) => i.name),
  outputs: graph.outputs.map((o) => o.name),
});

/** The outputs that are read: those that the specification names, else the first or all, as the task has it. */
function outputNames({ outputs: names }: Names, spec: ModelSpec): readonly string[] {
  const usual = tasks[spec.task].output.takes === "all" ? names : names.slice(0, 1);
  const wanted = namedOutputs(spec) ?? usual;
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined || wanted.length === 0)
    throw new SpecError(`The model has no output "${missing}"; its outputs are ${names.join(", ")}.`);
  return wanted;
}

function inputsByRole({ inputs: free }: Names, spec: ModelSpec): Record<string, string> {
  const { roles } = tasks[spec.task];
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
    throw new SpecError(
      `Nothing feeds the model's input${unused.length > 1 ? "s" : ""} ${unused.join(", ")}: ${roles.length > 1 ? `the images ${roles.join(" and ")} go` : "the image goes"} to ${Object.values(given).join(" and ")}. Say with "inputs" in the specification where images go, and export the model with all other inputs as constants.`,
    );
  return given;
}
