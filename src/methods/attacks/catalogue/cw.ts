import { z } from "zod";
import { count, parameter, reach, smallestIn, successShare } from "../parameters.js";
import { smallestPerturbation } from "../smallest/smallest-perturbation.js";

/** Images become x' = 0.999999 (2 x - 1) before artanh, which has no value at its ends. */
const inner = 0.999999;
/** A constant beyond it tells nothing more. */
const largestConstant = 1e10;

/**
 * Carlini & Wagner: Adam lowers ‖x - clean‖² + c max(f(x), 0) over w, with x = (tanh w + 1) / 2, which stays in the box by itself, and f the lead of the
 * label over the best other class. The constant c is found by bisection: smaller where an image broke, larger (tenfold at first) where not.
 */
export const cw = smallestPerturbation({
  name: "cw",
  title: "C&W",
  source: "Carlini & Wagner 2017, section V.C to VI.A",
  summary: "smallest perturbation: Adam on size and lead together, the constant between them by bisection",
  extent: "image or pixels",
  parameters: {
    ...smallestIn("l_2"),
    ...reach,
    ...successShare,
    steps: parameter(count.default(1000), { description: "number of steps, at most for each constant" }),
    constants: parameter(count.default(9), { description: "number of constants that are tried" }),
    firstConstant: parameter(z.number().positive().default(1e-3), { description: "the constant to begin with" }),
    learningRate: parameter(z.number().positive().default(0.01), { description: "Adam's, in the space of artanh" }),
  },
  parts: ({ steps, constants, firstConstant, learningRate }, { marginLeft }, goal) => ({
    objective: marginLeft(goal),
    async search(search) {
      const { clean, count, size } = search;
      const start = Float64Array.from(clean, (v) => Math.atanh(inner * (2 * v - 1)));
      const origin = start.map((v) => (Math.tanh(v) + 1) / 2);
      const [low, high] = [new Float64Array(count), new Float64Array(count).fill(Number.POSITIVE_INFINITY)];
      const constant = new Float64Array(count).fill(firstConstant);
      for (let round = 0; round < constants; round++) {
        search.begin(round);
        const w = start.slice();
        const [mean, square] = [new Float64Array(w.length), new Float64Array(w.length)];
        const broke: boolean[] = new Array(count).fill(false);
        const stopped: boolean[] = search.wonAtFirst.slice();
        const before = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
        const checked = w.slice();
        const interval = Math.ceil(steps / 10);
        for (let step = 0; step < steps && stopped.includes(false); step++) {
          // What does not move is the clean image itself, which tanh and artanh would change in its last digits.
          const x = Float32Array.from(w, (v, i) => (v === start[i] ? clean[i]! : (Math.tanh(v) + 1) / 2));
          const { value, gradient, won } = await search.look(x);
          for (let b = 0; b < count; b++) {
            if (stopped[b]) continue;
            broke[b] ||= won[b]!;
            const open = value[b]! > 0;
            let squares = 0;
            for (let i = b * size; i < (b + 1) * size; i++) {
              const t = Math.tanh(w[i]!);
              const away = (t + 1) / 2 - origin[i]!;
              squares += away * away;
              const g = (2 * away + (open ? constant[b]! * gradient[i]! : 0)) * 0.5 * (1 - t * t);
              mean[i] = 0.9 * mean[i]! + 0.1 * g;
              square[i] = 0.999 * square[i]! + 0.001 * g * g;
              const direction = mean[i]! / (1 - 0.9 ** (step + 1)) / (Math.sqrt(square[i]! / (1 - 0.999 ** (step + 1))) + 1e-8);
              w[i]! -= learningRate * direction;
            }
            // After each tenth of the steps: no progress, no more steps with this constant. What goes straight on is under way, though: from black or white,
            // where tanh is flat, the way to where x changes takes hundreds of steps.
            if (step % interval > 0) continue;
            const cost = squares + constant[b]! * Math.max(0, value[b]!);
            const [now, then] = [search.row(w, b), search.row(checked, b)];
            const straight = now.some((v, i) => Math.abs(v - then[i]!) > 0.5 * learningRate * interval);
            stopped[b] = !(cost <= 0.9999 * before[b]!) && !straight;
            before[b] = cost;
            then.set(now);
          }
        }
        for (let b = 0; b < count; b++) {
          if (broke[b]) high[b] = constant[b]!;
          else low[b] = constant[b]!;
          constant[b] = Number.isFinite(high[b]!) ? (low[b]! + high[b]!) / 2 : Math.min(10 * constant[b]!, largestConstant);
        }
      }
    },
  }),
});
