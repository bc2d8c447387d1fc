import { boundary, count, parameter, reach, smallestIn } from "../parameters.js";
import { smallestPerturbation } from "../smallest/smallest-perturbation.js";

/**
 * FAB as AutoAttack has it: one run for each of the likeliest other classes, along the border with that class alone. Whatever class it ends in counts. Towards
 * a class that is asked for it is FAB.
 */
export const fabT = smallestPerturbation({
  name: "fab-t",
  title: "FAB-T",
  source: "Croce & Hein 2020 (AutoAttack), section 4",
  summary: "FAB in runs along the borders with single classes: one gradient at a step, however many classes",
  extent: "image",
  parameters: {
    ...smallestIn("l_inf", "l_2", "l_1"),
    ...reach,
    ...boundary,
    targets: parameter(count.default(9), {
      description: "number of classes, those of the largest other logits, that have a run each",
    }),
  },
  parts: (parameters, { fab, leadOverRival, marginLeft, others }, goal) =>
    goal === "untargeted"
      ? {
          objective: leadOverRival,
          search: (search) =>
            fab(
              search,
              parameters,
              others(search, parameters.targets).map((rival) => [rival]),
            ),
        }
      : { objective: marginLeft(goal), search: (search) => fab(search, parameters, [[{}]]) },
});
