import { z } from "zod";
import type { ProjectedAscent } from "../ascent/ascent.js";
import { shrinkingRadii } from "../ascent/projected-ascent.js";
import { type Aim, defineAttack } from "../definition.js";
import { AttackError } from "../error.js";
import { quarterOf } from "../packed/quarter-of.js";
import { ball, count, grid, gridMisfits, parameter, radii, steps } from "../parameters.js";

/** Auto-PGD towards several classes, one after the other: those that the clean image is taken for next. */
export const apgdT = defineAttack({
  name: "apgd-t",
  title: "APGD-T",
  source: "Croce & Hein 2020, eq. 7 and section 5; by the rules of its authors' code",
  summary: "Auto-PGD towards one wrong class after the other, until one of them wins",
  parameters: z.strictObject({
    ...ball,
    ...steps,
    targets: parameter(count.default(9), { description: "wrong classes that are tried, the likeliest first" }),
    ...radii,
    ...grid,
  }),
  follows: "gradients",
  until: "won",
  handles: ["perturb", "region", "transform"],
  partOf: quarterOf,
  budget: ({ norm, epsilon, steps }) => ({ norm, epsilon, steps }),
  check: (parameters, aim) => {
    demandOneClass("apgd-t", aim);
    for (const wrong of gridMisfits(parameters)) throw new AttackError(`apgd-t: ${wrong}.`);
  },
  compile: async (engine, parameters, model) => {
    demandOneClass("apgd-t", { task: model.task, goal: model.goal ?? "untargeted" });
    const [{ norms, autoPgdIn, uniform }, { towardsClasses }] = await Promise.all([
      import("../ascent/parts.js"),
      import("../ensemble/towards-classes.js"),
    ]);
    const { norm, epsilon, steps, targets, radii, grid } = parameters;
    const ascent: ProjectedAscent = {
      name: "apgd-t",
      source: "Croce & Hein 2020",
      norm: norms[norm],
      goal: "untargeted",
      // AutoAttack's starts: in l_2 and l_1 other ones than those that CosPGD's code published.
      start: norm === "l_1" ? "projected" : "random",
      weight: uniform,
      loss: "targeted-dlr",
      descent: autoPgdIn(norm, "released-code", radii),
      budget: {
        epsilon,
        steps,
        stepSize: epsilon,
        restarts: 1,
        grid,
        ...(radii === "shrinking" && { stages: shrinkingRadii[norm] }),
      },
    };
    return towardsClasses(engine, ascent, targets, model);
  },
});

/** @throws AttackError where there is not one class for each image to leave. */
export function demandOneClass(name: string, { task, goal }: Aim): void {
  if (task.kind !== "classes" || task.extent !== "image")
    throw new AttackError(
      `${name} drives an image from its class to others, and ${task.name} predicts ${task.predicts}; take apgd.`,
    );
  if (goal === "targeted")
    throw new AttackError(
      `${name} looks itself for the class that is nearest; towards one class take apgd with --loss targeted-dlr (in code: loss: "targeted-dlr").`,
    );
}
