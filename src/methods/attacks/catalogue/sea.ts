import { z } from "zod";
import { type Aim, type Attack, attackOf, defineAttack, ownParameters, type Parameters } from "../definition.js";
import { AttackError } from "../error.js";
import { ball, count, grid, parameter, radii, randomStart, restarts } from "../parameters.js";
import { apgdReleased } from "./apgd-released.js";
import { apgdSegpgd } from "./apgd-segpgd.js";

/** A loss that is raised by itself, or the one whose pixels SegPGD's weight balances. */
const editions = {
  "2024": ["balanced-masked-cross-entropy", "masked-cross-entropy", "jensen-shannon"],
  "2023": ["masked-cross-entropy", "balanced-cross-entropy", "jensen-shannon", "masked-spherical"],
} as const;

/**
 * Segmentation Ensemble Attack: Auto-PGD once for each of several losses, in balls that shrink to the one that is asked for; of each image the result with
 * the fewest right pixels counts. Iterates are compared by cross-entropy, as in the released code, but for the spherical loss.
 */
export const sea = defineAttack({
  name: "sea",
  title: "SEA",
  source: "Croce, Singh & Hein 2024, section 4.3; edition 2023: the first version of the paper",
  summary: "the worst of Auto-PGD with three losses made for segmentation, image by image; 300 steps each",
  parameters: z.strictObject({
    ...ball,
    steps: parameter(count.default(300), { description: "number of steps", training: { default: 3 } }),
    ...restarts,
    ...randomStart,
    radii: parameter(radii.radii.unwrap().default("shrinking"), radii.radii.meta() as { description: string }),
    ...grid,
    edition: parameter(z.enum(["2024", "2023"]).default("2024"), {
      description: `which losses: 2024 = ${editions["2024"].join(", ")}; 2023 = ${editions["2023"].join(", ")}`,
    }),
  }),
  follows: "gradients",
  handles: ["perturb", "region", "transform"],
  budget: ({ norm, epsilon, steps, restarts }) => ({ norm, epsilon, steps, restarts }),
  check: (parameters, aim) => void membersFor(parameters, aim),
  members: membersFor,
  compile: async (engine, parameters, model) => {
    const { worstOf } = await import("../ensemble/worst-of.js");
    return worstOf(engine, (aim) => membersFor(parameters, aim), model);
  },
});

/** @throws AttackError where the task has not the losses. */
function membersFor({ edition, ...shared }: Parameters, { task }: Pick<Aim, "task">): readonly Attack[] {
  const losses = editions[edition as keyof typeof editions];
  return losses.map((loss) => {
    const balanced = loss === "balanced-cross-entropy";
    if (!balanced && !task.losses[loss])
      throw new AttackError(
        `sea is made of losses for one class per pixel (${loss} among them), which ${task.name} does not have; take ensemble.`,
      );
    const definition = balanced ? apgdSegpgd : apgdReleased;
    const own = balanced ? {} : loss === "masked-spherical" ? { loss } : { loss, tracked: "cross-entropy" };
    return attackOf(definition, { ...ownParameters(definition, shared), ...own });
  });
}
