/** The value of a function at a point, and its gradient there. */
export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A computation that asks for evaluations and is given them: whoever drives it decides when, and may drive several side by side. */
export type Asking<T> = Generator<Float64Array, T, Evaluation>;

export interface LbfgsOptions {
  /** Length of a step, or where a line search begins. */
  readonly learningRate: number;
  readonly lineSearch: "none" | "strong Wolfe";
  /** Iterations of one call of `step`. */
  readonly iterations: number;
  /** Pairs of steps and changes of the gradient that stand for the Hessian. */
  readonly history: number;
  readonly leastGradient: number;
  readonly leastChange: number;
}

/** What PyTorch takes where nothing is said. */
export const usualOptions: LbfgsOptions = {
  learningRate: 1,
  lineSearch: "none",
  iterations: 20,
  history: 100,
  leastGradient: 1e-7,
  leastChange: 1e-9,
};

/**
 * L-BFGS (Nocedal & Wright, algorithms 7.4 and 7.5) with the rules of torch.optim.LBFGS: its first step length, when pairs are kept, when it stops, and its
 * strong Wolfe line search (algorithms 3.5 and 3.6 with cubic interpolation). Lowers a function; state lives on from one call of `step` to the next.
 *
 * @example
 * const optimizer = new Lbfgs([1, 2], usualOptions);
 * const asking = optimizer.step();
 * for (let ask = asking.next(); !ask.done; ) ask = asking.next(evaluate(ask.value));
 */
export class Lbfgs {
  point: Float64Array;
  #pairs: { readonly s: Float32Array; readonly y: Float32Array; readonly rho: number }[] = [];
  #scale = 1;
  #done = 0;
  #direction = new Float64Array();
  #length = 0;
  #before = new Float64Array();

  constructor(
    start: ArrayLike<number>,
    private readonly options: LbfgsOptions,
  ) {
    this.point = Float64Array.from(start);
  }

  *step(): Asking<void> {
    const { learningRate, lineSearch, iterations, leastGradient, leastChange } = this.options;
    const most = Math.floor(iterations * 1.25);
    let at = yield this.point;
    let evaluations = 1;
    if (largest(at.gradient) <= leastGradient) return;
    for (let n = 1; n <= iterations; n++) {
      this.#turn(at.gradient);
      this.#before = at.gradient.slice();
      const before = at.value;
      const d = this.#direction;
      const slope = dot(at.gradient, d);
      this.#length = this.#done === 1 ? Math.min(1, 1 / sum(at.gradient)) * learningRate : learningRate;
      if (slope > -leastChange) return;
      if (lineSearch === "strong Wolfe") {
        const found = yield* strongWolfe(this.point, this.#length, d, at, slope, leastChange);
        this.#length = found.length;
        this.point = along(this.point, found.length, d);
        at = found.at;
        evaluations += found.evaluations;
      } else {
        this.point = along(this.point, this.#length, d);
        if (n < iterations) at = yield this.point;
        evaluations++;
      }
      if (evaluations >= most || largest(at.gradient) <= leastGradient) return;
      if (largest(d) * Math.abs(this.#length) <= leastChange || (n < iterations && Math.abs(at.value - before) < leastChange))
        return;
    }
  }

  /** The next direction. */
  #turn(gradient: Float64Array): void {
    this.#done++;
    if (this.#done === 1) {
      this.#direction = gradient.map((g) => -g);
      return;
    }
    const y = gradient.map((g, i) => g - this.#before[i]!);
    const s = this.#direction.map((d) => d * this.#length);
    const ys = dot(y, s);
    if (ys > 1e-10) {
      if (this.#pairs.length === this.options.history) this.#pairs.shift();
      this.#pairs.push({ s: Float32Array.from(s), y: Float32Array.from(y), rho: 1 / ys });
      this.#scale = ys / dot(y, y);
    }
    const q = gradient.map((g) => -g);
    const weights = new Float64Array(this.#pairs.length);
    for (let i = this.#pairs.length - 1; i >= 0; i--) {
      const { s, y, rho } = this.#pairs[i]!;
      weights[i] = dot(s, q) * rho;
      for (let j = 0; j < q.length; j++) q[j]! -= weights[i]! * y[j]!;
    }
    for (let j = 0; j < q.length; j++) q[j]! *= this.#scale;
    this.#pairs.forEach(({ s, y, rho }, i) => {
      const by = weights[i]! - dot(y, q) * rho;
      for (let j = 0; j < q.length; j++) q[j]! += by * s[j]!;
    });
    this.#direction = q;
  }
}

const [sufficient, curvature, mostTrials] = [1e-4, 0.9, 25];

/** A place on the line, with the value there and the slope along it. */
interface Place {
  readonly t: number;
  readonly at: Evaluation;
  readonly slope: number;
}

function* strongWolfe(
  from: Float64Array,
  first: number,
  d: Float64Array,
  at: Evaluation,
  slope: number,
  leastChange: number,
): Asking<{ readonly length: number; readonly at: Evaluation; readonly evaluations: number }> {
  const wide = largest(d);
  let evaluations = 0;
  const look = function* (t: number): Asking<Place> {
    const there = yield along(from, t, d);
    evaluations++;
    return { t, at: there, slope: dot(there.gradient, d) };
  };
  const tooHigh = ({ t, at: { value } }: Place) => value > at.value + sufficient * t * slope;
  const flat = (place: Place) => Math.abs(place.slope) <= -curvature * slope;
  const origin: Place = { t: 0, at, slope };
  let [before, now] = [origin, yield* look(first)];
  let bracket: [Place, Place] | undefined;
  let trials = 0;
  for (; trials < mostTrials; trials++) {
    if (tooHigh(now) || (trials > 1 && now.at.value >= before.at.value)) bracket = [before, now];
    else if (flat(now)) return { length: now.t, at: now.at, evaluations };
    else if (now.slope >= 0) bracket = [before, now];
    if (bracket) break;
    const next = interpolated(before, now, [now.t + 0.01 * (now.t - before.t), now.t * 10]);
    [before, now] = [now, yield* look(next)];
  }
  bracket ??= [origin, now];
  let low: 0 | 1 = bracket[0].at.value <= bracket[1].at.value ? 0 : 1;
  for (let stuck = false; trials < mostTrials; trials++) {
    const ends = [Math.min(bracket[0].t, bracket[1].t), Math.max(bracket[0].t, bracket[1].t)] as const;
    if ((ends[1] - ends[0]) * wide < leastChange) break;
    let t = interpolated(bracket[0], bracket[1], ends);
    // A trial near an end, the second time in a row, goes a tenth of the way inwards.
    const margin = 0.1 * (ends[1] - ends[0]);
    if (Math.min(ends[1] - t, t - ends[0]) < margin) {
      if (stuck || t >= ends[1] || t <= ends[0]) {
        t = Math.abs(t - ends[1]) < Math.abs(t - ends[0]) ? ends[1] - margin : ends[0] + margin;
        stuck = false;
      } else stuck = true;
    } else stuck = false;
    const place: Place = yield* look(t);
    const high = low === 0 ? 1 : 0;
    if (tooHigh(place) || place.at.value >= bracket[low].at.value) {
      bracket[high] = place;
      low = bracket[0].at.value <= bracket[1].at.value ? 0 : 1;
      continue;
    }
    const done = flat(place);
    if (!done && place.slope * (bracket[high].t - bracket[low].t) >= 0) bracket[high] = bracket[low];
    bracket[low] = place;
    if (done) break;
  }
  return { length: bracket[low].t, at: bracket[low].at, evaluations };
}

/** The minimum of the cubic through two places and their slopes, within bounds. */
function interpolated(a: Place, b: Place, [least, most]: readonly [number, number]): number {
  const d1 = a.slope + b.slope - (3 * (a.at.value - b.at.value)) / (a.t - b.t);
  const square = d1 * d1 - a.slope * b.slope;
  if (square < 0) return (least + most) / 2;
  const d2 = Math.sqrt(square);
  const at =
    a.t <= b.t
      ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
      : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return Math.min(Math.max(at, least), most);
}

const along = (x: Float64Array, t: number, d: Float64Array): Float64Array => x.map((v, i) => v + t * d[i]!);

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

const largest = (values: Float64Array): number => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const sum = (values: Float64Array): number => values.reduce((total, v) => total + Math.abs(v), 0);
