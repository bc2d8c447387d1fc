import { z } from "zod";
import type { Goal } from "../attacked-model.js";
import { type Aim, type CallableDefinition, defineAttack } from "../definition.js";
import { AttackError } from "../error.js";
import type { NormName } from "../lengths.js";
import type { Objective } from "../objective.js";
import { gridMisfits } from "../parameters.js";
import type { Search } from "./search.js";

/** The parameters that shared code reads; each attack has those of its schema. */
interface SmallestParameters {
  readonly norm: NormName;
  readonly epsilon?: number | undefined;
  readonly grid?: "continuous" | "8-bit";
  readonly successShare?: number | undefined;
  readonly steps?: number;
  readonly restarts?: number;
}

/** What makes one search for the smallest perturbation differ from another. */
export interface SmallestParts<P> {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly summary: string;
  /** Whether it is for one prediction for an image alone, or for one for each pixel too; then it has `successShare`. */
  readonly extent: "image" | "image or pixels";
  readonly parameters: object;
  /** Refuses what does not go together. @throws AttackError */
  readonly check?: (parameters: P, aim: Aim) => void;
  /** What the search lowers, and how. Loaded when it is compiled. */
  readonly parts: (parameters: P, known: typeof import("./parts.js"), goal: Goal) => SmallestChoice;
}

export interface SmallestChoice {
  readonly objective: Objective;
  /** Looks at points, of which the nearest that win are kept. */
  readonly search: (search: Search) => Promise<void>;
}

/** Share of an image's correct pixels that must be lost, as ALMA prox counts it (Rony et al. 2023). */
const usualShare = 0.99;

/**
 * An attack that looks for the smallest perturbation that breaks a prediction, as a definition.
 *
 * @example
 * export const ddn = smallestPerturbation({
 *   name: "ddn", title: "DDN", source: "Rony et al. 2019, algorithm 1", summary: "...", extent: "image or pixels",
 *   parameters: { ...smallestIn("l_2"), ...reach, ...successShare, ...steps },
 *   parts: ({ steps }, { crossEntropyLeft }, goal) => ({ objective: crossEntropyLeft(goal), search: async (search) => { ... } }),
 * });
 */
export function smallestPerturbation<T extends z.core.$ZodLooseShape>({
  parts,
  parameters: shape,
  extent,
  check,
  ...said
}: SmallestParts<z.output<z.ZodObject<T, z.core.$strict>>> & { readonly parameters: T }): CallableDefinition<
  z.ZodObject<T, z.core.$strict>
> {
  type P = z.output<z.ZodObject<T, z.core.$strict>>;
  const numbers = (parameters: P) => parameters as unknown as SmallestParameters;
  const demandFit = (parameters: P, aim: Aim): void => {
    const { task } = aim;
    if (task.kind !== "classes")
      throw new AttackError(
        `${said.name} looks for the smallest change that turns a class, and ${task.name} has no classes; take an attack with a radius, such as pgd or cospgd.`,
      );
    if (extent === "image" && task.extent !== "image")
      throw new AttackError(
        `${said.name} goes from the border of one class to the next, and ${task.name} has a class for every pixel; take fmn, ddn or cw.`,
      );
    if (task.extent === "image" && numbers(parameters).successShare !== undefined)
      throw new AttackError(`${said.name}: ${task.name} has one class for an image, so there is no successShare; leave it out.`);
    for (const wrong of gridMisfits(numbers(parameters))) throw new AttackError(`${said.name}: ${wrong}.`);
    check?.(parameters, aim);
  };
  return defineAttack<z.ZodObject<T, z.core.$strict>>({
    ...said,
    parameters: z.strictObject(shape),
    follows: "gradients",
    seeks: "smallest perturbation",
    until: "won",
    handles: ["perturb", "region", "tiles"],
    budget: (parameters) => {
      const { norm, epsilon, steps, restarts } = numbers(parameters);
      return { norm, epsilon, steps, restarts };
    },
    check: (parameters, aim) => demandFit(parameters, aim),
    compile: async (engine, parameters, model) => {
      const { goal = "untargeted", task } = model;
      demandFit(parameters, { task, goal });
      const known = await import("./parts.js");
      const { norm, epsilon, grid = "continuous", successShare: share = usualShare } = numbers(parameters);
      return known.compileSmallest(engine, model, { norm, epsilon, grid, share, ...parts(parameters, known, goal) });
    },
  });
}
