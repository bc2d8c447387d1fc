import { mul, parameters, projectedAscent, stopGradient } from "faultline";

const { ball, steps, stepLength, restarts, randomStart, parameter, count } = parameters;

/** (4 c (1 - c))^p for the alignment c of prediction and target: pixels that waver between right and wrong count most. */
const wavering = (power) => ({
  name: "wavering",
  pixels: "differ",
  weigh: ({ task, prediction, target, options }) => {
    const { cosine, complement } = Object.values(task.alignments)[0];
    const bump = mul(mul(cosine(prediction, target, options), complement(prediction, target, options)), 4);
    return stopGradient(Array.from({ length: power - 1 }).reduce((product) => mul(product, bump), bump));
  },
  batch: "mean",
});

/** PGD that pushes where a push decides. */
export default projectedAscent({
  name: "wavering-pgd",
  title: "Wavering PGD",
  source: "docs/adding-an-attack.md",
  summary: "PGD whose pixels count most where they waver between right and wrong",
  parameters: {
    ...ball,
    ...steps,
    ...stepLength,
    ...restarts,
    ...randomStart,
    sharpness: parameter(count.default(1), { description: "power of the weight: how sharply it picks the pixels that waver" }),
  },
  parts: ({ sharpness }, { ascent }) => ({ weight: wavering(sharpness), descent: ascent }),
});
