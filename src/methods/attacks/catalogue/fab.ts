import { boundary, reach, smallestIn } from "../parameters.js";
import { smallestPerturbation } from "../smallest/smallest-perturbation.js";

/** Fast adaptive boundary attack: along the nearest border of the linearized classifier, kept near the clean image, and back from beyond. */
export const fab = smallestPerturbation({
  name: "fab",
  title: "FAB",
  source: "Croce & Hein 2020 (FAB), algorithm 1",
  summary:
    "smallest perturbation: along the nearest border, drawn back towards the clean image; a gradient for each class at a step",
  extent: "image",
  parameters: { ...smallestIn("l_inf", "l_2", "l_1"), ...reach, ...boundary },
  parts: (parameters, { fab, leadOverRival, marginLeft, others }, goal) =>
    goal === "untargeted"
      ? { objective: leadOverRival, search: (search) => fab(search, parameters, [others(search, Number.POSITIVE_INFINITY)]) }
      : { objective: marginLeft(goal), search: (search) => fab(search, parameters, [[{}]]) },
});
