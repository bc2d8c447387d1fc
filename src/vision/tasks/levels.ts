import type { Tensor } from "../../engine/tensor/tensor.js";
import type { Task } from "./task.js";

/**
 * How finely one prediction tells things apart, as far as that is remarkable. A number that stands for a score, a box's edge or a depth takes as many values as
 * a float has; where it takes a handful, something rounded it (a quantizer whose scale is for larger numbers) or nothing leads from the picture to it.
 */
export interface Levels {
  /** Parts of the prediction that take few values, and which. */
  readonly few?: Readonly<Record<string, readonly number[]>>;
  /** Of predictions of classes: the share of places whose largest number two classes or more have. */
  readonly tied?: number;
}

/** More values than this are not kept: of 8 bits there are 256. */
const most = 16;
/** Fewer numbers may well be a few values. */
const least = 64;

interface Part {
  readonly name: string;
  /** What its numbers are to the reader: the score of a logit. */
  readonly values: (prediction: Tensor) => Iterable<number>;
  /** Whether as few values as these say that nothing can be told apart. */
  readonly coarse: (levels: readonly number[]) => boolean;
}

/** Whether neighbors of sorted values are at least this far apart; so is a single one. */
const apart = (levels: readonly number[], step: number): boolean => levels.every((v, i) => i === 0 || v - levels[i - 1]! >= step);

/** Single values of a float's grid, [from, to) of the axes behind the first. */
function* rows({ data, shape: [first] }: Tensor, from: number, to = first!): Iterable<number> {
  const inner = data.length / first!;
  for (let i = from * inner; i < to * inner; i++) yield Number(data[i]);
}

function* scores(prediction: Tensor): Iterable<number> {
  // Six digits: what two ways of rounding 1 differ by is no level.
  for (const logit of rows(prediction, 4)) yield Number((1 / (1 + Math.exp(-logit))).toFixed(6));
}

const parts: Readonly<Record<Task["kind"], readonly Part[]>> = {
  boxes: [
    // Sixteen steps from 0 to 1: detectors are measured from scores of 0.001 on.
    { name: "scores", values: scores, coarse: (levels) => apart(levels, 1 / most) },
    // A quantizer's grid is wider than what rounding in float32 sets apart where all boxes are one.
    { name: "edges of boxes", values: (p) => rows(p, 0, 4), coarse: (levels) => apart(levels, 1e-3 * levels.at(-1)!) },
  ],
  values: [{ name: "values", values: (p) => rows(p, 0), coarse: (levels) => levels.length <= 4 }],
  picture: [{ name: "intensities", values: (p) => rows(p, 0), coarse: (levels) => levels.length <= 4 }],
  classes: [],
};

/** What of one canonical prediction, without batch axis, takes few values or ties; undefined where nothing does. */
export function levelsOf(prediction: Tensor, { kind }: Pick<Task, "kind">): Levels | undefined {
  if (kind === "classes") {
    const tied = tiedShare(prediction);
    return tied > 0 ? { tied } : undefined;
  }
  const few = parts[kind].flatMap(({ name, values }) => {
    const found = distinct(values(prediction));
    return found ? [[name, found] as const] : [];
  });
  return few.length > 0 ? { few: Object.fromEntries(few) } : undefined;
}

/** The values in rising order; undefined where they are many, or of few numbers. */
function distinct(values: Iterable<number>): readonly number[] | undefined {
  const found = new Set<number>();
  let count = 0;
  for (const v of values) {
    count++;
    found.add(v);
    if (found.size > most) return undefined;
  }
  return count < least ? undefined : [...found].sort((a, b) => a - b);
}

function tiedShare({ data, shape: [classes] }: Tensor): number {
  const places = data.length / classes!;
  let tied = 0;
  for (let i = 0; i < places; i++) {
    let [largest, first] = [Number.NEGATIVE_INFINITY, 0];
    for (let k = 0; k < classes!; k++) {
      const v = Number(data[k * places + i]);
      if (v > largest) [largest, first] = [v, 1];
      else if (v === largest) first++;
    }
    if (first > 1) tied++;
  }
  return tied / places;
}

/** From this share of ties on a model of classes answers by chance of their order. */
const mostTied = 0.5;

/**
 * Sentences' beginnings, without a full stop, for what the predictions of some samples cannot tell apart; of all samples together, as one picture may well be empty.
 *
 * @example coarseness([{ few: { scores: [0, 1] } }], tasks.detection) // ["all scores are one of 2 values (0, 1)"]
 */
export function coarseness(samples: readonly (Levels | undefined)[], { kind }: Pick<Task, "kind">): string[] {
  if (samples.length === 0) return [];
  const tied = samples.reduce((sum, s) => sum + (s?.tied ?? 0), 0) / samples.length;
  if (tied >= mostTied)
    return [
      `${tied === 1 ? "everywhere" : `on ${(100 * tied).toFixed(0)} % of the places`} two classes or more share the largest value`,
    ];
  return parts[kind].flatMap(({ name, coarse }) => {
    const each = samples.map((s) => s?.few?.[name]);
    if (!each.every((levels) => levels !== undefined)) return [];
    const levels = [...new Set(each.flat())].sort((a, b) => a - b);
    if (levels.length > most || !coarse(levels)) return [];
    const list = levels.map((v) => Number(v.toPrecision(3)));
    if (list.length === 1) return [`all ${name} are ${list[0]}`];
    return [`all ${name} are one of ${list.length} values (${list.slice(0, 4).join(", ")}${list.length > 4 ? " ..." : ""})`];
  });
}
