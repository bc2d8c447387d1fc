import type { Tensor } from "../../../engine/tensor/tensor.js";
import { checkStored, type Metric, OrderFreeSum } from "../../metrics/metric.js";
import type { Detection } from "./boxes.js";
import { shownFrom } from "./decode.js";
import { type ClassMatch, match, type ObjectSize, type SizeMatch, sizeNames, thresholds } from "./match.js";

/** What is kept of one picture: all that precision and recall over a data set need. */
export interface DetectionSample {
  readonly classes: readonly ClassMatch[];
  /** Boxes that are shown (score from 0.25 on), and the sum of their scores. */
  readonly shown: number;
  readonly sure: number;
}

export interface DetectionResult {
  readonly samples: number;
  /** Objects that count. */
  readonly objects: number;
  /** Mean of the average precision over classes and overlaps from 0.5 to 0.95; NaN where there is no object. */
  readonly mAP: number;
  readonly mAP50: number;
  readonly mAP75: number;
  /** The same of small, medium and large objects alone. */
  readonly mAPOf: Readonly<Record<NamedSize, number>>;
  /** Mean over classes and overlaps of the share of objects that is found (the benchmark's AR with 100 boxes of a class and picture). */
  readonly recall: number;
  /** The same with the surest 1 and 10 boxes of a class and picture alone. */
  readonly recallAt: Readonly<Record<1 | 10, number>>;
  readonly recallOf: Readonly<Record<NamedSize, number>>;
  /** Boxes a picture that are shown, and their mean score (NaN where there are none). */
  readonly boxes: number;
  readonly score: number;
  /** Average precision over overlaps from 0.5 to 0.95, of each class that has objects. */
  readonly classes: ReadonlyMap<number, number>;
}

export type NamedSize = Exclude<ObjectSize, "any">;

/** np.linspace(0, 1, 101), to the last bit. */
const recalls: readonly number[] = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));

/**
 * Average precision and recall as the COCO benchmark computes them (pycocotools, 100 boxes of a class): precision at 101 recalls, each the highest at this
 * recall or a larger one, averaged over the recalls, the overlaps from 0.5 to 0.95 in steps of 0.05, and the classes that have objects (of the size in
 * question; NaN where none has).
 *
 * Boxes of equal score count in the order in which their pictures come, as pycocotools has it (there: of the pictures' ids). Runs restore their records
 * in the data set's order, so that shards and resumed runs give the same numbers.
 *
 * @example
 * const metric = new DetectionMetric();
 * metric.update(decode(prediction, { least: 0.001, nms: 0.7, most: 100 }), truth); // truth float32 [M, 6] or [M, 7]
 * metric.result().mAP50;
 */
export class DetectionMetric implements Metric<[readonly Detection[], Tensor], DetectionSample, DetectionResult> {
  readonly #samples: DetectionSample[] = [];

  update(found: readonly Detection[], truth: Tensor): DetectionSample {
    const seen = found.filter((d) => d.score >= shownFrom);
    const sure = seen.reduce((sum, d) => sum + d.score, 0);
    const sample = { classes: match(found, truth), shown: seen.length, sure };
    this.restore(sample);
    return sample;
  }

  restore(sample: DetectionSample): void {
    checkStored(sample, { classes: "list", shown: "number", sure: "number" });
    this.#samples.push(sample);
  }

  merge(other: DetectionMetric): void {
    this.#samples.push(...other.#samples);
  }

  result(): DetectionResult {
    const byClass = new Map<number, ClassMatch[]>();
    const sure = new OrderFreeSum();
    let shown = 0;
    for (const sample of this.#samples) {
      for (const one of sample.classes) {
        const list = byClass.get(one[0]);
        if (list) list.push(one);
        else byClass.set(one[0], [one]);
      }
      shown += sample.shown;
      sure.add(sample.sure);
    }
    const sorted = [...byClass].sort(([a], [b]) => a - b);
    /** Of each class that has objects of the size. */
    const curves = (size: ObjectSize) =>
      sorted.flatMap(([label, matches]) => {
        const own = matches.map(([, scores, sizes]) => ({ scores, match: sizes[sizeNames.indexOf(size)]! }));
        const objects = own.reduce((n, { match: [count] }) => n + count, 0);
        return objects === 0 ? [] : [{ label, objects, own, ...curvesOf(own, objects) }];
      });
    const any = curves("any");
    const of = { small: curves("small"), medium: curves("medium"), large: curves("large") };
    const precise = (all: readonly Curves[]) => mean(all.flatMap(({ precision }) => precision));
    const recalled = (all: readonly Curves[]) => mean(all.flatMap(({ recall }) => recall));
    const at = (t: number) => mean(any.map(({ precision }) => precision[t]!));
    const withMost = (most: number) => mean(any.flatMap(({ own, objects }) => recallWith(most, own, objects)));
    return {
      samples: this.#samples.length,
      objects: any.reduce((n, c) => n + c.objects, 0),
      mAP: precise(any),
      mAP50: at(0),
      mAP75: at(5),
      mAPOf: { small: precise(of.small), medium: precise(of.medium), large: precise(of.large) },
      recall: recalled(any),
      recallAt: { 1: withMost(1), 10: withMost(10) },
      recallOf: { small: recalled(of.small), medium: recalled(of.medium), large: recalled(of.large) },
      boxes: shown / this.#samples.length,
      score: sure.sum() / shown,
      classes: new Map(any.map(({ label, precision }) => [label, mean(precision)])),
    };
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** For each overlap. */
interface Curves {
  readonly precision: readonly number[];
  readonly recall: readonly number[];
}

/** One class of one picture, for objects of one size. */
interface Own {
  readonly scores: readonly number[];
  readonly match: SizeMatch;
}

/** Share of the objects of one class that the surest boxes of each picture find, for each overlap. */
const recallWith = (most: number, own: readonly Own[], objects: number): number[] =>
  thresholds.map((_, t) => {
    const hits = own.reduce((n, { match: [, right] }) => n + right.slice(0, most).filter((mask) => (mask >> t) & 1).length, 0);
    return hits / objects;
  });

/** Average precision and final recall of one class, for each overlap. */
function curvesOf(own: readonly Own[], objects: number): Curves {
  const boxes = own.flatMap(({ scores, match: [, right, ignored] }) =>
    scores.map((score, i) => ({ score, right: right[i]!, ignored: ignored?.[i] ?? 0 })),
  );
  boxes.sort((a, b) => b.score - a.score);
  const each = thresholds.map((_, t) => {
    let [hits, misses] = [0, 0];
    const recall: number[] = [];
    const precision: number[] = [];
    for (const { right, ignored } of boxes) {
      if ((right >> t) & 1) hits++;
      else if (!((ignored >> t) & 1)) misses++;
      recall.push(hits / objects);
      precision.push(hits / (hits + misses + Number.EPSILON));
    }
    for (let i = precision.length - 1; i > 0; i--) precision[i - 1] = Math.max(precision[i - 1]!, precision[i]!);
    let [sum, i] = [0, 0];
    for (const r of recalls) {
      while (i < recall.length && recall[i]! < r) i++;
      sum += precision[i] ?? 0;
    }
    return { precision: sum / recalls.length, recall: recall.at(-1) ?? 0 };
  });
  return { precision: each.map((e) => e.precision), recall: each.map((e) => e.recall) };
}
