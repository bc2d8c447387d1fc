import { add, mul } from "../../../engine/operators/index.js";
import type { Norm } from "../ascent/ascent.js";
import type { Transform } from "./transform.js";

/** Points around the image, uniform in [-β ε, β ε] in l_inf; in the other norms random starts of radius β ε. They may leave [0, 1], as published. */
export const neighbors = (samples: number, beta: number, norm: Norm): Transform => ({
  name: "neighbors",
  samples,
  moves: "nothing",
  noise: (image) => image,
  apply: (image, noise, number) => add(image, norm.start(noise, mul(number("epsilon"), beta))),
});
