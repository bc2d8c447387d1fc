import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { stack, unstack } from "../../engine/tensor/arrays.js";
import { describe, sameShape, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { checkTensorFile, readTensors, writeTensors } from "../../engine/tensor/tensor-files.js";
import type { ProjectedAscent } from "../../methods/attacks/ascent/ascent.js";
import type { Goal } from "../../methods/attacks/attacked-model.js";
import type { TraceStep } from "../../methods/attacks/batch.js";
import { type Attack, compileAttack } from "../../methods/attacks/definition.js";
import type { AttackOutcome } from "../../methods/attacks/outcome.js";
import { checkedOutcome } from "../../methods/attacks/outcome.js";
import { checkSpec, modelPredictor } from "../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { UsageError } from "../cli/errors.js";
import { type Plugins, taskWith } from "../plugins/plugins.js";
import { labelProblem } from "./labels.js";
import type { AttackPlan } from "./plan.js";
import { soleAscent } from "./sole-ascent.js";
import { transformOf } from "./transform-of.js";

/** Tensors in files in place of a data set: for reproducing and comparing numbers. */
export interface TensorFiles {
  /** Images [B, 3, H, W] in [0, 1]. */
  readonly input: string;
  readonly target?: string | undefined;
  /** Raw start noise in [-1, 1], like the images. */
  readonly start?: string | undefined;
  /** Where every iterate, gradient, weight and loss go. */
  readonly trace?: string | undefined;
  /** Where the adversarial images and predictions go. */
  readonly output?: string | undefined;
}

export interface TensorContext {
  readonly engine: Engine;
  readonly model: OnnxModel;
  readonly spec: ModelSpec;
  readonly attack: Attack;
  readonly goal: Goal;
  readonly plugins: Plugins;
  readonly scale: number;
  readonly seed: number;
  readonly eot?: AttackPlan["threat"]["eot"];
  readonly perturb?: readonly string[] | undefined;
  /** [1, H, W], 1 where pixels may change. */
  readonly region?: Tensor<"float32"> | undefined;
  /** Bytes of inner values, as `AttackedModel` has them. */
  readonly memory?: number | undefined;
  readonly signal: AbortSignal;
  readonly onStep?: (step: number, loss: number) => void;
}

/** Attacks one batch given as tensors. */
export async function runTensors(context: TensorContext, files: TensorFiles): Promise<AttackOutcome> {
  const { engine, model, spec, attack, goal } = context;
  const task = taskWith(tasks[spec.task], context.plugins);
  const { roles } = task;
  const inputNames = model.graph.inputs.map((i) => i.name);
  if (files.output) checkTensorFile(files.output, roles.length + 2);
  if (files.trace) checkTensorFile(files.trace, roles.length + 2);
  const images = await imagesFrom(files.input, roles, inputNames, "input");
  const [batch, channels, height, width] = images[roles[0]!]!.shape as [number, number, number, number];
  if (images[roles[0]!]!.shape.length !== 4 || channels !== 3)
    throw new UsageError(`${files.input}: images are [batch, 3, height, width], not ${describe(images[roles[0]!]!)}.`);
  for (const image of Object.values(images)) {
    const beyond = beyondRange(image, 0, 1);
    if (beyond !== undefined)
      throw new UsageError(
        `${files.input} holds the value ${beyond}; images are in [0, 1] here whatever the model takes, and --range says what that is.`,
      );
  }
  const ascent = async (flag: string) => soleAscent(attack, { task, goal }, `${flag} is about single steps`);
  const traced = files.trace === undefined ? undefined : await ascent("--trace");
  const start = files.start && (await startFrom(files.start, await ascent("--start"), images, inputNames));
  const { batch: own = attack.definition.partOf?.(batch) ?? batch } = checkSpec(model, spec);
  const predictor = await modelPredictor(model, spec, { batch: own, height, width }, (m) => engine.evaluate(m));
  const transform = await transformOf(context.eot, images[roles[0]!]!.shape, engine);
  const { perturb, region } = context;
  if (region && (region.shape[1] !== height || region.shape[2] !== width))
    throw new UsageError(`The region is ${region.shape[2]}x${region.shape[1]}, but the images are ${width}x${height}.`);
  const compiled = await compileAttack(engine, attack, {
    predictor,
    task,
    goal,
    ignore: spec.ignore,
    scale: context.scale,
    region: region !== undefined,
    ...(own !== batch && { batch }),
    ...(perturb && { perturb }),
    ...(transform && { transform }),
    ...(context.memory && { memory: context.memory }),
  });
  const steps: TraceStep[] = [];
  try {
    const prediction = await compiled.predict(images);
    const own = (i: number) => {
      const clean = unstack(prediction, i);
      const list = task.ownTarget(clean, spec.output);
      return task.assigned?.(list, clean) ?? list;
    };
    const target = files.target
      ? await targetFrom(files.target, spec, goal, prediction)
      : stack(Array.from({ length: batch }, (_, i) => own(i)));
    const problem = labelProblem(target, prediction.shape[1]!, spec, files.target ?? "the clean prediction");
    if (problem) throw new UsageError(problem);
    const found = await compiled.run(
      {
        images,
        target,
        ...(region && { region: stack(new Array<Tensor<"float32">>(batch).fill(region)) }),
        ...(start && { start }),
        samples: Array.from({ length: batch }, (_, i) => String(i)),
        seed: context.seed,
      },
      {
        signal: context.signal,
        onStep: ({ step, loss }) => context.onStep?.(step, loss.reduce((a, b) => a + b, 0) / loss.length),
        ...(traced && { onTrace: (step: TraceStep) => void steps.push(step) }),
      },
    );
    const outcome = checkedOutcome(attack, found, images);
    if (files.trace && traced) await writeTensors(files.trace, traceTensors(steps, outcome, traced, roles));
    if (files.output)
      await writeTensors(
        files.output,
        new Map([
          ...Object.entries(outcome.images),
          ["prediction", outcome.prediction],
          ["clean_prediction", outcome.clean.prediction],
          ...Object.entries(outcome.found ?? {}).map(
            ([name, values]) => [`found.${name}`, tensor("float32", [values.length], values)] as const,
          ),
        ]),
      );
    return outcome;
  } finally {
    compiled.dispose();
  }
}

/**
 * `x[_i]` [T + 1, ...], `gradient[_i]` [T, ...], `weight` [T, B, H, W], `loss` [T] (what is differentiated), `loss_plain` [T + 1]; the i-th image has
 * `_i` where there are two, and is left out where it may not change.
 */
function traceTensors(
  steps: readonly TraceStep[],
  outcome: AttackOutcome,
  attack: ProjectedAscent,
  roles: readonly string[],
): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  // A rule that keeps the best iterate makes one more pass to look at the last.
  const taken = steps.slice(0, attack.budget.steps);
  const suffix = (i: number) => (roles.length > 1 ? `_${i + 1}` : "");
  roles.forEach((role, i) => {
    if (!taken[0]?.x[role]) return; // not perturbed
    const last = steps[taken.length]?.x[role] ?? outcome.images[role]!;
    out.set(`x${suffix(i)}`, stack([...taken.map((s) => s.x[role]!), last]));
    out.set(`gradient${suffix(i)}`, stack(taken.map((s) => s.gradient[role]!)));
  });
  out.set("weight", stack(taken.map((s) => s.weight)));
  const sum = (v: Float32Array) => v.reduce((a, b) => a + b, 0);
  const mean = (v: Float32Array) => sum(v) / v.length;
  const objective = attack.weight.batch === "sum" ? sum : mean;
  out.set(
    "loss",
    tensor(
      "float32",
      [taken.length],
      taken.map((s) => objective(s.objective)),
    ),
  );
  out.set(
    "loss_plain",
    tensor("float32", [taken.length + 1], [...taken.map((s) => mean(s.loss)), mean(steps[taken.length]?.loss ?? outcome.loss)]),
  );
  for (const name of Object.keys(taken[0]?.state ?? {})) out.set(`state.${name}`, stack(taken.map((s) => s.state[name]!)));
  return out;
}

/** Images by role: named by the role, by the model's input, as `image_1`, `image_2`, or (where there is one image) whatever they are called. */
async function imagesFrom(
  file: string,
  roles: readonly string[],
  inputs: readonly string[],
  stem: string,
): Promise<Record<string, Tensor<"float32">>> {
  const tensors = await readTensors(file);
  return Object.fromEntries(
    roles.map((role, i) => {
      const names =
        roles.length > 1
          ? [`${stem}_${i + 1}`, role, `image_${i + 1}`, inputs[i] ?? ""]
          : [stem, role, "images", inputs[0] ?? "", ...(tensors.size === 1 ? tensors.keys() : [])];
      const found = names.map((n) => tensors.get(n)).find((t) => t !== undefined);
      if (!found)
        throw new UsageError(
          `${file} has no tensor for "${role}" (tried ${[...new Set(names)].filter(Boolean).join(", ")}); it has ${[...tensors.keys()].join(", ")}.`,
        );
      return [role, tensor("float32", found.shape, Float32Array.from(toNumbers(found)))];
    }),
  );
}

/** Raw noise in [-1, 1] for the images that may change; other images may have some too. */
async function startFrom(
  file: string,
  attack: ProjectedAscent,
  images: Readonly<Record<string, Tensor<"float32">>>,
  inputs: readonly string[],
): Promise<Record<string, Tensor<"float32">>> {
  if (attack.start === "clean")
    throw new UsageError(`--start: ${attack.name} starts at the clean image, so there is no noise to give; leave it out.`);
  const noise = await imagesFrom(file, Object.keys(images), inputs, "noise");
  for (const [role, image] of Object.entries(images)) {
    if (!sameShape(noise[role]!.shape, image.shape))
      throw new UsageError(`${file}: the noise is ${describe(noise[role]!)}, the ${role} ${describe(image)}; they must agree.`);
    const beyond = beyondRange(noise[role]!, -1, 1);
    if (beyond !== undefined)
      throw new UsageError(`${file} holds the value ${beyond}; start noise is in [-1, 1], and epsilon scales it.`);
  }
  return noise;
}

/** The first value outside [least, most], NaN being outside; 1e-6 is left to rounding. */
const beyondRange = ({ data }: Tensor<"float32">, least: number, most: number): number | undefined =>
  data.find((v) => !(v >= least - 1e-6 && v <= most + 1e-6));

async function targetFrom(file: string, spec: ModelSpec, goal: Goal, prediction: Tensor<"float32">): Promise<Tensor> {
  const tensors = await readTensors(file);
  const names = goal === "untargeted" ? ["label", "labels", "target", "targets"] : ["target", "targets", "label", "labels"];
  const found =
    names.map((n) => tensors.get(n)).find((t) => t !== undefined) ?? (tensors.size === 1 ? [...tensors.values()][0] : undefined);
  if (!found) throw new UsageError(`${file} has no tensor "target" or "label"; it has ${[...tensors.keys()].join(", ")}.`);
  const task = tasks[spec.task];
  const wanted = task.target(prediction);
  if (!sameShape(found.shape, wanted.shape))
    throw new UsageError(
      `${file}: the target is ${describe(found)}, but for these images and this model it is ${wanted.type}[${wanted.shape.join(", ")}].`,
    );
  if (task.kind === "classes") {
    const labels = toNumbers(found);
    const odd = Array.from(labels).find((v) => !Number.isInteger(v));
    if (odd !== undefined) throw new UsageError(`${file} holds the value ${odd}; labels are whole numbers.`);
    return tensor("int64", found.shape, labels);
  }
  const target = tensor("float32", found.shape, Float32Array.from(toNumbers(found)));
  const restored = task.kind === "picture";
  const beyond = restored ? beyondRange(target, 0, 1) : target.data.find((v) => !Number.isFinite(v));
  if (beyond !== undefined)
    throw new UsageError(
      `${file} holds the value ${beyond}; ${restored ? "images are in [0, 1]" : "a target has a number everywhere"}.`,
    );
  return target;
}
