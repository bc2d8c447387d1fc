import { add, mul, parameters, projectedAscent } from "faultline";

const { ball, steps, stepLength, restarts, randomStart, grid, loss } = parameters;

/** Along the sum of this step's gradient and the last one's: what points back and forth is damped. */
const bothGradients = {
  name: "both gradients",
  state: [{ name: "last", per: "image", initial: 0 }],
  step: ({ images, state, norm, stepSize, project }) => {
    const along = images.map(({ gradient }, i) => add(gradient, state.last[i]));
    return {
      images: images.map(({ x }, i) => project(i, add(x, mul(norm.direction(along[i], x), stepSize)))),
      state: { last: images.map(({ gradient }) => gradient) },
    };
  },
  result: "last",
};

export default projectedAscent({
  name: "both-gradients",
  source: "docs/adding-an-attack.md",
  summary: "PGD along the sum of the last two gradients",
  parameters: { ...ball, ...steps, ...stepLength, ...restarts, ...randomStart, ...grid, ...loss },
  parts: () => ({ descent: bothGradients }),
});
