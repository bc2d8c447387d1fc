import { z } from "zod";
import { type CallableDefinition, defineAttack } from "../definition.js";
import { type ball, gridMisfits } from "../parameters.js";
import type { Transform } from "../transforms/transform.js";
import type { Budget, DescentRule, Norm, PixelWeight, ProjectedAscent, Stage } from "./ascent.js";
import type { StepSchedule } from "./step-schedule.js";
import { transferMisfits } from "./transfer-parameters.js";

/** The parameters from which a projected ascent takes its numbers; those that an attack's schema has not are as said. */
interface AscentParameters {
  readonly norm: Norm["name"];
  readonly epsilon: number;
  /** Absent: 1, or 0 where nothing is followed. */
  readonly steps?: number;
  /** Absent: `usualStepSize`. */
  readonly stepSize?: number | undefined;
  readonly schedule?: StepSchedule;
  /** Absent: 1. */
  readonly restarts?: number;
  /** Absent: none, it starts at the clean image. */
  readonly randomStart?: "published" | "ball" | "projected" | "none";
  readonly grid?: Budget["grid"];
  readonly loss?: ProjectedAscent["loss"] | undefined;
  /** Absent: the loss itself. */
  readonly tracked?: ProjectedAscent["loss"] | undefined;
  /** Absent: constant. */
  readonly radii?: "constant" | "shrinking";
}

/** What makes one projected ascent differ from another. */
export interface AscentParts<P> {
  readonly name: string;
  readonly title?: string;
  readonly source: string;
  readonly summary: string;
  /** Default: gradients. */
  readonly follows?: "gradients" | "nothing";
  /** Those of `ball`, and of the rest what the attack has. */
  readonly parts: (parameters: P, known: typeof import("./parts.js")) => AscentChoice;
}

/** Which weight and which descent rule, and how images are looked at for the gradient. */
export interface AscentChoice {
  readonly weight?: PixelWeight;
  readonly descent: DescentRule;
  readonly views?: readonly Transform[];
}

/**
 * An attack that steps along a gradient and projects back into a ball, as a definition: PGD, SegPGD and CosPGD differ in the pixel weight alone, BIM in
 * the start, FGSM in the number of steps, MI-FGSM and Auto-PGD in the descent rule.
 *
 * @example
 * export const pgd = projectedAscent({
 *   name: "pgd", source: "Madry et al. 2018, eq. 2.3", summary: "iterated steps from a random point of the ball",
 *   parameters: { ...ball, ...steps, ...stepLength, ...restarts, ...randomStart },
 *   parts: (_, { ascent }) => ({ descent: ascent }),
 * });
 * pgd({ epsilon: 8 / 255, steps: 40 });
 */
export function projectedAscent<T extends z.core.$ZodLooseShape & typeof ball>({
  parts,
  parameters: shape,
  follows = "gradients",
  ...said
}: AscentParts<z.output<z.ZodObject<T, z.core.$strict>>> & { readonly parameters: T }): CallableDefinition<
  z.ZodObject<T, z.core.$strict>
> {
  type P = z.output<z.ZodObject<T, z.core.$strict>>;
  const stepsAlone = follows === "nothing" ? 0 : 1;
  const numbers = (parameters: P) => parameters as unknown as AscentParameters;
  const ascent = async (parameters: P, goal: ProjectedAscent["goal"]): Promise<ProjectedAscent> => {
    const known = await import("./parts.js");
    const { weight = known.uniform, descent, views = [] } = parts(parameters, known);
    const { norm, epsilon, steps = stepsAlone, stepSize, schedule = "constant", restarts = 1 } = numbers(parameters);
    const { randomStart = "none", grid = "continuous", loss, tracked, radii = "constant" } = numbers(parameters);
    return {
      name: said.name,
      source: said.source,
      norm: known.norms[norm],
      goal,
      start: ({ published: "random", ball: "ball", projected: "projected", none: "clean" } as const)[randomStart],
      weight,
      ...(loss && { loss }),
      ...(tracked && tracked !== loss && { tracked }),
      descent,
      ...(views.length > 0 && { views }),
      budget: {
        epsilon,
        steps,
        stepSize: stepSize ?? usualStepSize(norm, epsilon, steps),
        schedule,
        restarts,
        grid,
        ...(radii === "shrinking" && { stages: shrinkingRadii[norm] }),
      },
    };
  };
  return defineAttack<z.ZodObject<T, z.core.$strict>>({
    ...said,
    follows,
    parameters: z
      .strictObject(shape)
      .check(({ value, issues }) => {
        for (const message of [...misfits(numbers(value as P)), ...transferMisfits(value as P)])
          issues.push({ code: "custom", message, input: value });
      })
      .overwrite((value) => complete(value, shape)),
    handles: ["perturb", "region", "transform", "tiles"],
    budget: (parameters) => {
      const { norm, epsilon, steps = stepsAlone, stepSize, restarts = 1 } = numbers(parameters);
      return { norm, epsilon, steps, stepSize, restarts };
    },
    ascent,
    check: async (parameters, { task, goal }) => {
      const { demandParts } = await import("./parts.js");
      demandParts(await ascent(parameters, goal), task);
    },
    compile: async (engine, parameters, model) => {
      const { compileAscent } = await import("./compile-ascent.js");
      return compileAscent(engine, await ascent(parameters, model.goal ?? "untargeted"), model);
    },
  });
}

/** Fills in the step size, where the attack has one. */
function complete<V>(value: V, shape: object): V {
  if (!("stepSize" in shape)) return value;
  const { norm, epsilon, steps = 1, stepSize } = value as unknown as AscentParameters;
  if (stepSize !== undefined) return value;
  const whole: Readonly<Record<string, unknown>> = { ...value, stepSize: usualStepSize(norm, epsilon, steps) };
  // In the order of the schema: plans are compared by their bytes.
  const order = Object.keys(shape);
  return Object.fromEntries(Object.entries(whole).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))) as V;
}

/**
 * Larger balls first, in which the search is freer: 2 ε, 1.5 ε, ε (SEA: Croce et al. 2024, section 4.2), in l_1 3 ε, 2 ε, ε (Croce & Hein 2021, section 3.3),
 * with 30, 30 and 40 % of the steps.
 */
export const shrinkingRadii: Readonly<Record<Norm["name"], readonly Stage[]>> = {
  l_inf: staged([2, 1.5, 1], "down"),
  l_2: staged([2, 1.5, 1], "down"),
  l_1: staged([3, 2, 1], "up"),
};

function staged(radii: readonly [number, number, number], rounded: Stage["rounded"]): readonly Stage[] {
  return radii.map((radius, i) => ({ radius, share: i < 2 ? 0.3 : 0.4, rounded }));
}

/** In l_inf the published 0.01 for ε of 8/255 and more, the same share of the ball, 0.32 ε, below; 0.2 ε in the other norms; ε for one step alone. */
export function usualStepSize(norm: Norm["name"], epsilon: number, steps: number): number {
  if (steps === 1) return epsilon;
  return norm === "l_inf" ? Math.min(0.01, 0.32 * epsilon) : 0.2 * epsilon;
}

/** What is wrong with numbers that are each allowed. */
function misfits({ norm, epsilon, stepSize, grid }: AscentParameters): string[] {
  const beyond = (what: string, value: number) =>
    `${what} ${value} in l_inf would let every pixel take any value, since images are in [0, 1] here; for ${value} of 255 levels write ${value}/255`;
  return [
    ...(norm === "l_inf" && epsilon > 1 ? [beyond("epsilon", epsilon)] : []),
    ...(norm === "l_inf" && stepSize !== undefined && stepSize > 1 ? [beyond("stepSize", stepSize)] : []),
    ...gridMisfits({ grid, epsilon }),
  ];
}
