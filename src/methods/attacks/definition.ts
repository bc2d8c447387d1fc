import type { z } from "zod";
import type { Engine } from "../../engine/runtime/engine.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { check } from "../../vision/spec/check.js";
import type { PixelFunction, Task } from "../../vision/tasks/index.js";
import type { ProjectedAscent } from "./ascent/ascent.js";
import type { AttackedModel, Goal } from "./attacked-model.js";
import type { AttackBatch, AttackHooks } from "./batch.js";
import { AttackError } from "./error.js";
import type { FitHooks, FitProgress, FitRule, Fitted, Lessons } from "./fitted/fitted.js";
import type { NormName } from "./lengths.js";
import type { AttackOutcome, Judgement } from "./outcome.js";

// What an attack is. This file and those of the catalogue load nothing heavy: help, plans and configurations know every attack and its parameters
// without the engine, which `compile` and `ascent` load.

/** An attack's parameters by name, as its schema gives them. */
export type Parameters = Readonly<Record<string, unknown>>;

/**
 * An attack, whatever it does within. Its command-line flags, its part of the plan and of a training configuration, its row in the docs follow from
 * the schema of its parameters.
 */
export interface AttackDefinition<P = Parameters> {
  /** What `--attack` calls it: letters, digits and hyphens. */
  readonly name: string;
  /** As papers spell it: "CosPGD". */
  readonly title: string;
  /** Paper and section. */
  readonly source: string;
  /** One phrase: what it does. */
  readonly summary: string;
  /** A strict object. What it gives is complete (defaults are filled in) and unchanged when it is parsed again. */
  readonly parameters: z.ZodObject;
  /** What the search follows: gradients, the predictions alone, or nothing (random noise, which every attack must beat). */
  readonly follows: "gradients" | "predictions" | "nothing";
  /**
   * What the search is for: absent, the most damage within a budget; or the smallest perturbation that is enough, whose size in the budget's norm is then
   * `found.radius` (0 where the clean image is wrong already, NaN where none was found).
   */
  readonly seeks?: "smallest perturbation";
  /** What of the model under attack it can deal with, beyond whole images that may change everywhere. */
  readonly handles: readonly Handled[];
  /**
   * When it is done with an image. "won": as soon as the prediction is wrong (or shows the target), so that losses say nothing of such images; absent: it
   * goes as far as it can.
   */
  readonly until?: "won";
  /**
   * How many images of a batch of that size its programs take; absent: all. `compile` then gets a predictor for so many, and the size of the batch
   * beside it: what is left of a batch when images are done is packed into parts. Such an attack takes batches of any size.
   */
  partOf?(batch: number): number;
  /** What it may use, in the words that all attacks share; absent what it has none of. */
  budget(parameters: P): AttackBudget;
  /** Refuses what does not go together, before anything is compiled. @throws AttackError */
  check?(parameters: P, aim: Aim): void | Promise<void>;
  /** The projected ascent that it is, for what looks at single steps (`faultline compile`, training, traces, the audit); absent where it is none. */
  ascent?(parameters: P, goal: Goal): Promise<ProjectedAscent>;
  /** The attacks that it is made of; absent where there are none. */
  members?(parameters: P, aim: Aim): readonly Attack[];
  /** What it learns on a part of a data set before it attacks the rest; absent where each image is attacked by itself. */
  readonly fit?: FitRule<P>;
  /** @param fitted what it has learned; given where there is `fit`. */
  compile(engine: Engine, parameters: P, model: AttackedModel, fitted?: Fitted): Promise<CompiledAttack>;
}

/** One of a pair of images, a part of the image, random transforms of it, a prediction tile by tile. */
export type Handled = "perturb" | "region" | "transform" | "tiles";

export interface AttackBudget {
  /** How perturbations are measured. */
  readonly norm: NormName;
  /** Radius of the ball that the result lies in; absent where there is none: the smallest perturbation is looked for, however large. */
  readonly epsilon?: number | undefined;
  readonly steps?: number | undefined;
  /** Absent where the attack sets its step sizes itself. */
  readonly stepSize?: number | undefined;
  readonly restarts?: number | undefined;
}

/** What an attack is for. */
export interface Aim {
  readonly task: Task;
  readonly goal: Goal;
  /** Classes of the model, where they are known. */
  readonly classes?: number | undefined;
}

/** An attack with its parameters: what `pgd({ epsilon: 8 / 255 })` gives. */
export interface Attack<P = Parameters> {
  readonly name: string;
  readonly definition: AttackDefinition<P>;
  readonly parameters: P;
  readonly budget: AttackBudget;
}

/** An attack on one model, for one shape of batch. */
export interface CompiledAttack {
  /** The loss that `evaluate` measures by. */
  readonly loss: PixelFunction;
  /** Attacks one batch. The result depends on images, target, seed and sample names alone. */
  run(batch: AttackBatch, hooks?: AttackHooks): Promise<AttackOutcome>;
  /** The prediction for images of the batch shape. */
  predict(images: AttackBatch["images"]): Promise<Tensor<"float32">>;
  /** Prediction, mean loss and share of correct pixels of other images (a saved version, noise) against the batch's target. */
  evaluate(batch: AttackBatch, images: AttackBatch["images"]): Promise<Judgement>;
  dispose(): void;
}

/** A definition that is called with parameters to give an attack. */
export type CallableDefinition<S extends z.ZodObject> = AttackDefinition<z.output<S>> &
  ((
    ...given: Partial<z.input<S>> extends z.input<S> ? [parameters?: z.input<S>] : [parameters: z.input<S>]
  ) => Attack<z.output<S>>);

/** What `defineAttack` is told. */
export type DefinitionParts<S extends z.ZodObject> = Omit<AttackDefinition<z.output<S>>, "parameters" | "title" | "handles"> & {
  readonly parameters: S;
  /** Default: the name. */
  readonly title?: string;
  /** Default: nothing of it. */
  readonly handles?: readonly Handled[];
};

/**
 * Makes a definition callable.
 *
 * @example
 * const nothing = defineAttack({
 *   name: "nothing", source: "none", summary: "leaves images as they are", parameters: z.strictObject({}), follows: "nothing",
 *   budget: () => ({ norm: "l_inf", epsilon: 0 }),
 *   compile: async (engine, _, model) => { ... },
 * });
 * await compileAttack(engine, nothing(), { predictor, task });
 */
export function defineAttack<S extends z.ZodObject>(parts: DefinitionParts<S>): CallableDefinition<S> {
  const call = (parameters: Parameters = {}): Attack<z.output<S>> => attackOf(definition, parameters);
  const whole = { title: parts.name, handles: [], ...parts };
  // (A function's own name cannot be assigned, only defined.)
  const definition = Object.defineProperties(call, Object.getOwnPropertyDescriptors(whole)) as unknown as CallableDefinition<S>;
  return definition;
}

/**
 * A definition with parameters that were read from outside.
 *
 * @throws AttackError with every parameter that is wrong.
 */
export function attackOf<P>(definition: AttackDefinition<P>, given: Parameters): Attack<P> {
  const checked = check(definition.parameters, given);
  if ("problems" in checked) {
    const problems = checked.problems.map(({ field, message }) => (field === "top level" ? message : `${field}: ${message}`));
    throw new AttackError(`${definition.name}: ${problems.join("; ")}.`);
  }
  const parameters = checked.data as P;
  return { name: definition.name, definition, parameters, budget: definition.budget(parameters) };
}

/** Of the given parameters those that an attack has: for one set of them used with several attacks. */
export const ownParameters = ({ parameters }: Pick<AttackDefinition, "parameters">, given: Parameters): Parameters =>
  Object.fromEntries(Object.entries(given).filter(([name]) => name in parameters.shape));

/**
 * Compiles an attack on a model for one batch shape.
 *
 * @throws AttackError where the attack cannot deal with what is asked of it.
 * @example
 * const compiled = await compileAttack(engine, cospgd({ epsilon: 8 / 255, steps: 20 }), { predictor, task: tasks.segmentation });
 * const { images, loss } = await compiled.run({ images: { image }, target: labels, samples: ["cat.png"], seed: 0 });
 */
export async function compileAttack<P>(
  engine: Engine,
  { definition, parameters }: Attack<P>,
  model: AttackedModel,
  fitted?: Fitted,
): Promise<CompiledAttack> {
  if (definition.fit && !fitted)
    throw new AttackError(
      `${definition.name} learns one ${definition.fit.what} for all images before it attacks any, and here is none; learn it with fitAttack() in code, or by faultline attack --data.`,
    );
  demandHandled(definition, {
    perturb: model.perturb !== undefined && model.perturb.length < Object.keys(model.predictor.images).length,
    region: model.region === true,
    transform: model.transform !== undefined,
    tiles: model.tiled !== undefined,
  });
  return definition.compile(engine, parameters, model, fitted);
}

/**
 * Learns what an attack needs before it attacks, on samples that are measured no more.
 *
 * @returns what was learned, and after how many steps: fewer than all where the signal stopped it.
 * @throws AttackError where the attack learns nothing, or cannot do what is asked.
 * @example
 * const { fitted } = await fitAttack(engine, universal(), model, { batch: async (step) => batches[step % 8]! });
 * const compiled = await compileAttack(engine, universal(), model, fitted);
 */
export async function fitAttack<P>(
  engine: Engine,
  { definition, parameters }: Attack<P>,
  model: AttackedModel,
  lessons: Lessons,
  hooks: FitHooks = {},
): Promise<FitProgress> {
  if (!definition.fit) throw new AttackError(`${definition.name} attacks each image by itself: there is nothing to learn.`);
  return definition.fit.learn(engine, parameters, model, lessons, hooks);
}

/** What can be refused before anything is compiled. @throws AttackError */
export async function checkAttack<P>(
  { definition, parameters }: Attack<P>,
  aim: Aim,
  asked: Readonly<Partial<Record<Handled, boolean>>> = {},
): Promise<void> {
  demandHandled(definition, asked);
  demandGoal(parameters as Parameters, aim);
  await definition.check?.(parameters, aim);
}

/** What of an attack's numbers is allowed and yet hardly meant, one sentence each. */
export function budgetRemarks({ name, budget: { epsilon, stepSize, steps = 1 } }: Pick<Attack, "name" | "budget">): string[] {
  if (epsilon === undefined || stepSize === undefined || steps === 1 || stepSize <= epsilon * (1 + 1e-6)) return [];
  const [length, radius] = [stepSize, epsilon].map((v) => Number(v.toPrecision(3)));
  return [
    `A step of ${name} (${length}) is longer than the radius (${radius}), so that each one jumps across the ball to its edge; shorter steps find more.`,
  ];
}

/** @throws AttackError where the loss is for another goal. */
function demandGoal({ loss }: Parameters, { task, goal }: Aim): void {
  const only = typeof loss === "string" ? task.losses[loss]?.goal : undefined;
  if (only === undefined || only === goal) return;
  throw new AttackError(
    only === "untargeted"
      ? `The loss "${String(loss)}" looks at no target, so it does not go with one; leave out the target or the loss.`
      : `The loss "${String(loss)}" goes towards a target, and there is none; name one, or take another loss.`,
  );
}

/** @throws AttackError where something is asked of an attack that it does not deal with. */
function demandHandled<P>({ name, handles }: AttackDefinition<P>, asked: Readonly<Partial<Record<Handled, boolean>>>): void {
  const beyond = (Object.keys(handledWords) as Handled[]).find((what) => asked[what] && !handles.includes(what));
  if (beyond) throw new AttackError(`${name} ${handledWords[beyond]}; take another attack, or leave it out.`);
}

const handledWords: Readonly<Record<Handled, string>> = {
  perturb: "perturbs all images of a sample, not a choice of them",
  region: "changes whole images, not a region of them",
  transform: "does not average over random transforms (eot)",
  tiles: "cannot follow a prediction that is made tile by tile",
};

/** The projected ascent that an attack is, as `stepGraph` and its like take it. @throws AttackError where it is of another kind. */
export async function ascentOf<P>({ definition, parameters }: Attack<P>, goal: Goal = "untargeted"): Promise<ProjectedAscent> {
  if (!definition.ascent) throw new AttackError(`${definition.name} takes no steps along a gradient, so there is none to build.`);
  return definition.ascent(parameters, goal);
}

/** The projected ascents that an attack is made of, its members' included; none where it is of another kind. */
export async function ascentsOf({ definition, parameters }: Attack, aim: Aim): Promise<readonly ProjectedAscent[]> {
  if (definition.ascent) return [await definition.ascent(parameters, aim.goal)];
  const members = definition.members?.(parameters, aim) ?? [];
  return (await Promise.all(members.map((member) => ascentsOf(member, aim)))).flat();
}
