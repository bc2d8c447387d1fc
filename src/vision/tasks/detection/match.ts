import type { Tensor } from "../../../engine/tensor/tensor.js";
import { area, type Box, type Detection, intersection, isIgnored, type Listed, objectsOf, state } from "./boxes.js";

/** Overlaps from which a box counts as found, as the COCO benchmark has them: np.linspace(0.5, 0.95, 10), to the last bit. */
export const thresholds: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9),
);

/** Boxes of one class that count of a picture, as on the benchmark. */
const mostOfClass = 100;

/** What objects are small, medium and large, in square pixels, both ends included (pycocotools' `areaRng`). An object is of any size or of one of them. */
export const sizes = {
  any: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type ObjectSize = keyof typeof sizes;
export const sizeNames = Object.keys(sizes) as readonly ObjectSize[];

/**
 * The objects of one size: how many there are, and of each box, as bit masks over the thresholds (bit t for threshold t), at which it is right, and at
 * which it counts neither way (left out where no box does).
 */
export type SizeMatch = readonly [objects: number, right: readonly number[], ignored?: readonly number[]];

/** One class of one picture: the scores of the model's boxes, surest first, and what they are for objects of each size, in the order of `sizes`. */
export type ClassMatch = readonly [label: number, scores: readonly number[], sizes: readonly SizeMatch[]];

/**
 * Boxes against the objects of a picture, as pycocotools' `evaluateImg` does it with 100 boxes of a class: in falling order of score each box takes the
 * object of its class that it overlaps most and that is still free, those that count before the others; a crowd takes any number, measured by the share of
 * the box that lies in it. For one size, objects of other sizes do not count, and neither do boxes of other sizes that take no object.
 */
export function match(found: readonly Detection[], truth: Tensor): ClassMatch[] {
  const objects = objectsOf(truth).filter((o) => o.state === state.object || isIgnored(o));
  const labels = [...new Set([...objects, ...found].map((o) => o.label))].sort((a, b) => a - b);
  return labels.map((label) => {
    const boxes = found.filter((d) => d.label === label).slice(0, mostOfClass);
    const own = objects
      .filter((o) => o.label === label)
      .map((object) => ({
        object,
        overlaps: boxes.map((d) => overlapOf(d, object, object.state === state.crowd ? "of the box" : "of both")),
      }));
    return [label, boxes.map((d) => short(d.score)), sizeNames.map((size) => matchOfSize(boxes, own, sizes[size]))];
  });
}

interface Overlapped {
  readonly object: Listed;
  /** With each box. */
  readonly overlaps: readonly number[];
}

function matchOfSize(boxes: readonly Box[], own: readonly Overlapped[], range: readonly [number, number]): SizeMatch {
  const within = (size: number) => size >= range[0] && size <= range[1];
  const counts = ({ object }: Overlapped) => !isIgnored(object) && within(object.covers ?? area(object));
  const inOrder = [...own.filter(counts), ...own.filter((o) => !counts(o))];
  const objects = own.filter(counts).length;
  const crowds = new Set(inOrder.flatMap(({ object }, g) => (object.state === state.crowd ? [g] : [])));
  const right = new Array<number>(boxes.length).fill(0);
  const ignored = new Array<number>(boxes.length).fill(0);
  const other = boxes.map((d) => !within(area(d)));
  thresholds.forEach((threshold, t) => {
    const taken = new Set<number>();
    boxes.forEach((_, d) => {
      const overlaps = inOrder.map((o) => o.overlaps[d]!);
      const g = taker(overlaps, threshold, taken, objects, crowds);
      if (g !== undefined) taken.add(g);
      if (g !== undefined && g < objects) right[d]! |= 1 << t;
      else if (g !== undefined || other[d]) ignored[d]! |= 1 << t;
    });
  });
  return ignored.some((mask) => mask !== 0) ? [objects, right, ignored] : [objects, right];
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
