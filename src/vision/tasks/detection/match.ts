import type { Tensor } from "../../../engine/tensor/tensor.js";
import { area, type Box, type Detection, intersection, isIgnored, objectsOf, state } from "./boxes.js";

/** Overlaps from which a box counts as found, as the COCO benchmark has them: np.linspace(0.5, 0.95, 10), to the last bit. */
export const thresholds: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9),
);

/** Boxes of one class that count of a picture, as on the benchmark. */
const mostOfClass = 100;

/**
 * One class of one picture: how many objects there are, and the model's boxes, surest first: their scores, and as bit masks over the thresholds (bit t
 * for threshold t) at which they are right, and at which they count neither way since they lie in a crowd (left out where none does).
 */
export type ClassMatch = readonly [
  label: number,
  objects: number,
  scores: readonly number[],
  right: readonly number[],
  ignored?: readonly number[],
];

/**
 * Boxes against the objects of a picture, as pycocotools' `evaluateImg` does it over all areas with 100 boxes of a class: in falling order of score each
 * box takes the object of its class that it overlaps most and that is still free, those that count before the others; a crowd takes any number,
 * measured by the share of the box that lies in it.
 */
export function match(found: readonly Detection[], truth: Tensor): ClassMatch[] {
  const objects = objectsOf(truth).filter((o) => o.state === state.object || isIgnored(o));
  const labels = [...new Set([...objects, ...found].map((o) => o.label))].sort((a, b) => a - b);
  return labels.map((label) => {
    const boxes = found.filter((d) => d.label === label).slice(0, mostOfClass);
    const own = objects.filter((o) => o.label === label);
    const inOrder = [...own.filter((o) => !isIgnored(o)), ...own.filter(isIgnored)];
    const counts = own.filter((o) => !isIgnored(o)).length;
    const crowds = new Set(inOrder.flatMap((o, g) => (o.state === state.crowd ? [g] : [])));
    const overlaps = boxes.map((d) => inOrder.map((o, g) => overlapOf(d, o, crowds.has(g) ? "of the box" : "of both")));
    const right = new Array<number>(boxes.length).fill(0);
    const ignored = new Array<number>(boxes.length).fill(0);
    thresholds.forEach((threshold, t) => {
      const taken = new Set<number>();
      boxes.forEach((_, d) => {
        const g = taker(overlaps[d]!, threshold, taken, counts, crowds);
        if (g === undefined) return;
        taken.add(g);
        if (g < counts) right[d]! |= 1 << t;
        else ignored[d]! |= 1 << t;
      });
    });
    const scores = boxes.map((d) => short(d.score));
    return ignored.some((mask) => mask !== 0) ? [label, counts, scores, right, ignored] : [label, counts, scores, right];
  });
}

/** The object that a box takes: the first `counts` of them count, the rest are ignored, and crowds among them are never used up. */
function taker(
  overlaps: readonly number[],
  threshold: number,
  taken: ReadonlySet<number>,
  counts: number,
  crowds: ReadonlySet<number>,
): number | undefined {
  let best = Math.min(threshold, 1 - 1e-10);
  let chosen: number | undefined;
  for (const [g, common] of overlaps.entries()) {
    if (taken.has(g) && !crowds.has(g)) continue;
    if (chosen !== undefined && chosen < counts && g >= counts) break;
    if (common < best) continue;
    best = common;
    chosen = g;
  }
  return chosen;
}

/** Intersection over union, or for crowds over the box alone. Empty unions overlap nothing. */
function overlapOf(box: Box, object: Box, share: "of both" | "of the box"): number {
  const common = intersection(box, object);
  const whole = share === "of both" ? area(box) + area(object) - common : area(box);
  return whole > 0 ? common / whole : 0;
}

/** The shortest number that is the same in float32: what a file of records holds. */
function short(value: number): number {
  for (let digits = 4; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === Math.fround(value)) return candidate;
  }
  return Number(value.toPrecision(9));
}
