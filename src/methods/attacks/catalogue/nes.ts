import { z } from "zod";
import { usualStepSize } from "../ascent/projected-ascent.js";
import { ball, count, parameter } from "../parameters.js";
import { copies, project } from "../query/ball.js";
import { queryAttack, queryLoss, queryParameters } from "../query/query-attack.js";
import type { Pictures, Queried, Search } from "../query/search.js";

interface Numbers {
  readonly norm: "l_inf" | "l_2";
  readonly epsilon: number;
  readonly stepSize?: number | undefined;
  readonly samples: number;
  readonly sigma: number;
}

/** NES (Ilyas et al. 2018): projected ascent along a gradient that is estimated from predictions at random points nearby. */
export const nes = queryAttack({
  name: "nes",
  title: "NES",
  source: "Ilyas et al. 2018, algorithm 1",
  summary: "pgd along a gradient that it estimates from predictions nearby",
  parameters: {
    norm: parameter(z.enum(["l_inf", "l_2"]).default("l_inf"), { description: "norm of the ball" }),
    epsilon: ball.epsilon,
    ...queryParameters(5000),
    stepSize: parameter(z.number().positive().optional(), {
      description: "length of a step",
      placeholder: "length",
      unit: "intensity",
      usual: "0.01 in l_inf, 0.32 epsilon below 8/255; a fifth of epsilon in l_2 and l_1",
    }),
    samples: parameter(count.default(50), { description: "predictions for one estimate, in pairs on both sides" }),
    sigma: parameter(z.number().positive().default(0.001), {
      description: "how far away they are: deviation of the noise",
      placeholder: "length",
    }),
    ...queryLoss(),
  },
  budget: (numbers) => ({ norm: numbers.norm, epsilon: numbers.epsilon, stepSize: lengthOf(numbers) }),
  search: (numbers) => ({ loss: numbers.loss, search: (sample) => search(sample, numbers) }),
});

const lengthOf = ({ norm, epsilon, stepSize }: Pick<Numbers, "norm" | "epsilon" | "stepSize">): number =>
  stepSize ?? usualStepSize(norm, epsilon, 2);

function* search({ clean, random }: Queried, { samples, sigma, ...ball }: Numbers): Search {
  for (let x = copies(clean); ; x = copies(x)) {
    const slope = clean.map((p) => new Float64Array(p.length));
    for (let pair = 0; pair < Math.ceil(samples / 2); pair++) {
      const noise = clean.map((p) => p.map(() => random.normal()));
      const aside = (way: number): Pictures => x.map((p, k) => p.map((v, i) => v + way * sigma * noise[k]![i]!));
      const [plus, minus] = yield { ask: [aside(1), aside(-1)], as: "probe" };
      // (Σ (f(x + σu) - f(x - σu)) u) / 2σn, of which the direction alone counts.
      const difference = (plus?.objective ?? 0) - (minus?.objective ?? 0);
      if (!Number.isFinite(difference)) continue;
      for (const [k, g] of slope.entries()) for (let i = 0; i < g.length; i++) g[i]! += difference * noise[k]![i]!;
    }
    for (const [k, picture] of x.entries()) stepAlong(picture, clean[k]!, slope[k]!, ball);
    yield { ask: [x], as: "candidate" };
  }
}

/** In l_inf by the sign of the slope, in l_2 along it, and back into the ball. */
function stepAlong(x: Float32Array, clean: Float32Array, slope: Float64Array, numbers: Omit<Numbers, "samples" | "sigma">): void {
  const { norm, epsilon } = numbers;
  const length = norm === "l_inf" ? 1 : Math.sqrt(slope.reduce((s, g) => s + g * g, 0)) || 1;
  const step = lengthOf(numbers);
  for (let i = 0; i < x.length; i++) x[i]! += (step * (norm === "l_inf" ? Math.sign(slope[i]!) : slope[i]!)) / length;
  project(norm, x, clean, epsilon);
}
