import type { ValueInfo } from "../../../engine/onnx/model.js";
import { sizeOf } from "../../../engine/tensor/tensor.js";
import { type TaskName, tasks } from "../../../vision/tasks/index.js";
import type { Goal } from "../attacked-model.js";
import { type AttackedModel, perturbedRoles } from "../attacked-model.js";
import { AttackError } from "../error.js";
import type { Transform } from "../transforms/transform.js";
import type { Norm, ProjectedAscent, Start } from "./ascent.js";
import { firstValue } from "./descent/first-value.js";
import { ruleOf } from "./descent/rule-of.js";
import { looks, type NoiseStem, noiseName } from "./looks.js";
import { stateName } from "./step-graph.js";
import { stepSchedules } from "./step-schedule.js";

/** Everything that a loop around the step graph must know, as plain data: it travels with the exported model. */
export interface StepDescription {
  readonly attack: string;
  readonly source: string;
  readonly task: TaskName;
  readonly norm: Norm["name"];
  readonly goal: Goal;
  readonly grid: "continuous" | "8-bit";
  readonly start: Start;
  /** Runs of the step graph: one more than the steps where the rule keeps the best iterate and must see the last one. */
  readonly passes: number;
  readonly restarts: number;
  /** Images that change, and images that are fed as they are. */
  readonly perturbed: readonly string[];
  readonly fixed: readonly string[];
  readonly epsilon: number;
  /** Scalar inputs that change: one value for each pass. */
  readonly scalars: Readonly<Record<string, readonly number[]>>;
  /** Outputs that become inputs of the next pass, with the value of the first: a number everywhere, or the starting image. */
  readonly state: readonly {
    readonly input: string;
    readonly output: string;
    readonly initial: number | { readonly input: string };
  }[];
  /** Raw noise of the transforms, fresh for each pass. */
  readonly noise: readonly { readonly input: string; readonly distribution: "uniform [-1, 1]" }[];
  /** What holds each adversarial image after the last pass: an output of it. */
  readonly result: Readonly<Record<string, string>>;
}

/** Describes the graph that `stepGraph` makes of the same attack and model. */
export function describeStep(attack: ProjectedAscent, model: AttackedModel): StepDescription {
  const { steps, stepSize, epsilon, schedule = "constant", restarts, grid, stages } = attack.budget;
  if (stages)
    throw new AttackError(
      `${attack.name} with shrinking radii is several searches in a row, and a step file describes one; take constant radii, and run the file once for each.`,
    );
  const perturbed = perturbedRoles(model);
  const roles = Object.keys(model.predictor.images);
  const rule = ruleOf(attack, model.task);
  const keepsBest = rule.result !== "last";
  const passes = keepsBest ? steps + 1 : steps;
  const perPass = (value: (step: number) => number) => Array.from({ length: passes }, (_, step) => value(step));
  const names = Object.keys(rule.schedule?.(0, steps) ?? {});
  const { seen, around } = looks(attack, model);
  const drawsOf = (transform: Transform | undefined, stem: NoiseStem) => {
    const needed = transform && roles.filter((role) => sizeOf(transform.noise(model.predictor.images[role]!)) > 0);
    return Array.from({ length: transform?.samples ?? 0 }, (_, s) => needed!.map((role) => noiseName(transform!, s, role, stem)));
  };
  const draws = [...drawsOf(seen, "noise"), ...drawsOf(around, "around")];
  return {
    attack: attack.name,
    source: attack.source,
    task: model.task.name,
    norm: attack.norm.name,
    goal: attack.goal,
    grid,
    start: attack.start,
    passes,
    restarts,
    perturbed,
    fixed: roles.filter((r) => !perturbed.includes(r)),
    epsilon,
    scalars: {
      step_size: perPass((t) => stepSize * stepSchedules[schedule](t, steps)),
      progress: perPass((t) => t / steps),
      ...Object.fromEntries(names.map((name) => [name, perPass((t) => rule.schedule!(t, steps)[name]!)])),
    },
    state: [
      ...perturbed.map((r) => ({ input: `x.${r}`, output: `next.${r}`, initial: { input: `x.${r}` } })),
      ...rule.state.flatMap(({ name, per, initial }) =>
        (per === "image" ? perturbed : [perturbed[0]!]).map((role) => ({
          input: `state.${stateName(name, per, role)}`,
          output: `next_state.${stateName(name, per, role)}`,
          initial: initial === "start" ? { input: `x.${role}` } : firstValue(initial, epsilon),
        })),
      ),
    ],
    noise: [...new Set(draws.flat())].map((input) => ({ input, distribution: "uniform [-1, 1]" as const })),
    result: Object.fromEntries(perturbed.map((r) => [r, keepsBest ? `next_state.best.${r}` : `next.${r}`])),
  };
}

/** What an input or output of the step graph is, in a phrase. */
export function meaningOf({ name }: ValueInfo, step: StepDescription): string {
  const [head, ...rest] = name.split(".");
  const tail = rest.join(".");
  switch (head) {
    case "x":
      return `the iterate: ${tail}, in [0, 1]`;
    case "clean":
      return `the clean ${tail}, in [0, 1]`;
    case "next":
      return `the next iterate: ${tail}`;
    case "state":
      return `state of the rule (${tail})`;
    case "next_state":
      return `the state for the next pass (${tail})`;
    case "gradient":
      return `gradient of the objective with respect to x.${tail}`;
    case "target":
      return `what the attack drives ${step.goal === "untargeted" ? "away from" : "towards"}${shapeOfTarget(step)}`;
    case "valid":
      return "1 where the target is known, 0 elsewhere";
    case "region":
      return "1 where pixels may change, 0 elsewhere";
    case "epsilon":
      return `radius of the ball in ${step.norm}`;
    case "step_size":
      return "length of this step";
    case "progress":
      return "share of the steps that is done, t / T";
    case "objective":
      return "per image: the (weighted) loss that is differentiated, or the one that iterates are compared by";
    case "loss":
      return "per image: the plain mean loss at x";
    case "prediction":
      return "the model's prediction at x, in canonical form";
    case "weight":
      return `weight of each ${tasks[step.task].extent === "objects" ? "place" : "pixel"}'s loss`;
    case "zero_gradient":
      return "per image: share of gradient elements that are 0";
    case "nan_gradient":
      return "per image: share of gradient elements that are not a number or infinite; they count as 0 and as the largest number";
    default:
      if (step.noise.some((n) => n.input === name)) return "fresh noise for one random transform, uniform in [-1, 1]";
      if (step.fixed.includes(name)) return `the ${name}, which does not change, in [0, 1]`;
      return "set at each pass by the rule (scalars in the JSON file)";
  }
}

/** The random start of each norm, from raw noise n uniform in [-1, 1] of the image's shape. */
export const startFormula: Readonly<Record<Norm["name"], string>> = {
  l_inf: "clip(clean + epsilon * n, 0, 1)",
  l_2: "clip(clean + epsilon * n / ||n||_2, 0, 1), the norm over each image",
  l_1: "clip(clean + epsilon * n / ||n||_1, 0, 1), the norm over each image",
};

function shapeOfTarget({ task }: StepDescription): string {
  const { targetMeaning } = tasks[task];
  return targetMeaning === undefined ? "" : `: ${targetMeaning}`;
}
