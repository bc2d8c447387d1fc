import { z } from "zod";
import type { Random } from "../../../engine/tensor/random.js";
import { ball, parameter } from "../parameters.js";
import { copies, distance, project } from "../query/ball.js";
import { queryAttack, queryLoss, queryParameters } from "../query/query-attack.js";
import { type Queried, type Search, usualLoss } from "../query/search.js";
import { hillAndValley, shareAt, sideOf, sizeOfValues, startOf, type Windows } from "../query/squares.js";

/** Square (Andriushchenko et al. 2020): random search whose steps are squares, which shrink by a schedule. */
export const square = queryAttack({
  name: "square",
  title: "Square",
  source: "Andriushchenko et al. 2020, algorithms 1 to 4; in l_1 as in Croce & Hein 2021",
  summary: "random squares, kept where they raise the loss; sees predictions alone",
  parameters: {
    ...ball,
    ...queryParameters(5000),
    pInit: parameter(z.number().positive().max(1).default(0.8), {
      description: "share of the pixels that the first squares cover",
      placeholder: "share",
    }),
    halvings: parameter(z.enum(["rescaled", "fixed"]).default("rescaled"), {
      description:
        "when squares shrink: rescaled = after the published shares of the queries, fixed = after the numbers published for 10000, as AutoAttack has it",
    }),
    windows: parameter(z.enum(["published", "released"]).default("published"), {
      description:
        "where squares may lie: published = anywhere; released = never in the last row and column, as in the authors' code and AutoAttack",
    }),
    ...queryLoss("margin in classification, else the task's usual one"),
  },
  budget: ({ norm, epsilon }) => ({ norm, epsilon }),
  search: ({ norm, epsilon, queries, pInit, halvings, windows, loss }, { task, goal }) => ({
    loss: loss ?? usualLoss(task, goal),
    search: (sample) => {
      const { height, width } = sample;
      const of = halvings === "rescaled" ? queries : 10_000;
      const side = (query: number) => sideOf(shareAt(query, of, pInit), height, width, norm);
      return search(sample, norm === "l_inf" ? flat(sample, epsilon, windows) : hilly(sample, norm, epsilon, windows), side);
    },
  }),
});

/** What squares are in a norm; `x` is changed in place. */
interface Squares {
  readonly begin: (x: Float32Array, clean: Float32Array) => void;
  readonly step: (x: Float32Array, clean: Float32Array, side: number) => void;
}

/** Algorithm 1: a candidate that raises the objective is where the next one starts from. The two pictures change places: thousands of new ones would keep the garbage collector busy. */
function* search({ clean, judged }: Queried, { begin, step }: Squares, side: (query: number) => number): Search {
  let [best, next] = [copies(clean), copies(clean)];
  for (const [k, picture] of best.entries()) begin(picture, clean[k]!);
  let highest = (yield { ask: [best], as: "candidate" })[0]?.objective ?? judged.objective;
  for (let query = 0; ; query++) {
    for (const [k, picture] of next.entries()) {
      picture.set(best[k]!);
      step(picture, clean[k]!, side(query));
    }
    const [answer] = yield { ask: [next], as: "candidate" };
    if (answer && answer.objective > highest) [best, next, highest] = [next, best, answer.objective];
  }
}

const sign = (random: Random): number => (random.uniform() < 0.5 ? -1 : 1);

/** l_inf (algorithm 2): vertical stripes at first, then squares of one color, everything at the edge of the ball. */
function flat({ channels, height, width, random }: Queried, epsilon: number, windows: Windows): Squares {
  const at = (x: Float32Array, clean: Float32Array, i: number, way: number) => {
    x[i] = clean[i]! + way * epsilon;
  };
  return {
    begin(x, clean) {
      for (let c = 0; c < channels; c++)
        for (let column = 0; column < width; column++) {
          const way = sign(random);
          for (let row = 0; row < height; row++) at(x, clean, (c * height + row) * width + column, way);
        }
    },
    step(x, clean, side) {
      const [top, left] = [startOf(height - side, windows, random), startOf(width - side, windows, random)];
      for (let c = 0; c < channels; c++) {
        const way = sign(random);
        for (let row = top; row < top + side; row++)
          for (let column = left; column < left + side; column++) at(x, clean, (c * height + row) * width + column, way);
      }
    },
  };
}

/** l_2 (algorithms 3 and 4) and l_1: hills beside valleys; each step takes the perturbation of one window away and puts it into another. */
function hilly({ channels, height, width, random }: Queried, norm: "l_2" | "l_1", epsilon: number, windows: Windows): Squares {
  const cells = function* (c: number, top: number, left: number, side: number) {
    for (let i = 0; i < side; i++) for (let j = 0; j < side; j++) yield (c * height + top + i) * width + left + j;
  };
  const square = (size: number): number => (norm === "l_2" ? size * size : size);
  /** To the edge of the ball: in l_2 the whole perturbation is stretched, in l_1 the nearest point is taken. */
  const settle = (x: Float32Array, clean: Float32Array) => {
    if (norm === "l_2") {
      const length = distance("l_2", x, clean) || 1;
      for (let i = 0; i < x.length; i++) x[i] = clean[i]! + ((x[i]! - clean[i]!) / length) * epsilon;
    }
    project(norm, x, clean, epsilon);
  };
  const pattern = (side: number) => hillAndValley(side, norm, random.uniform() < 0.5);
  return {
    begin(x, clean) {
      const side = Math.max(1, Math.floor(height / 5));
      const margin = Math.floor((height - 5 * side) / 2);
      for (let top = Math.max(0, margin); top + side <= height; top += side)
        for (let left = Math.max(0, margin); left + side <= width; left += side) {
          const hill = pattern(side);
          for (let c = 0; c < channels; c++) {
            const way = sign(random);
            let i = 0;
            for (const at of cells(c, top, left, side)) x[at] = clean[at]! + way * hill[i++]!;
          }
        }
      settle(x, clean);
    },
    step(x, clean, side) {
      const place = () => [startOf(height - side, windows, random), startOf(width - side, windows, random)] as const;
      const [[top, left], [top2, left2]] = [place(), place()];
      const hill = pattern(side);
      const unused = Math.max(0, square(epsilon) - square(distance(norm, x, clean)));
      for (let c = 0; c < channels; c++) {
        const [here, there] = [[...cells(c, top, left, side)], [...cells(c, top2, left2, side)]];
        const delta = (at: number) => x[at]! - clean[at]!;
        const old = here.map(delta);
        const length = sizeOfValues(old, norm) + 1e-12;
        const way = sign(random);
        const mixed = old.map((d, i) => way * hill[i]! + d / length);
        const both = sizeOfValues([...new Set([...here, ...there])].map(delta), norm);
        // In l_1 AutoAttack gives the window as much as all channels together have; the projection takes back what is too much.
        const available = norm === "l_2" ? Math.sqrt(unused / channels + both * both) : unused + both * channels;
        const scale = available / (sizeOfValues(mixed, norm) + 1e-12);
        for (const at of there) x[at] = clean[at]!;
        for (const [i, at] of here.entries()) x[at] = clean[at]! + mixed[i]! * scale;
      }
      settle(x, clean);
    },
  };
}
