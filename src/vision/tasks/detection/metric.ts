import type { Tensor } from "../../../engine/tensor/tensor.js";
import { checkStored, type Metric, OrderFreeSum } from "../../metrics/metric.js";
import type { Detection } from "./boxes.js";
import { shownFrom } from "./decode.js";
import { type ClassMatch, match, thresholds } from "./match.js";

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
  /** Mean over classes and overlaps of the share of objects that is found (the benchmark's AR with 100 boxes). */
  readonly recall: number;
  /** Boxes a picture that are shown, and their mean score (NaN where there are none). */
  readonly boxes: number;
  readonly score: number;
  /** Average precision over overlaps from 0.5 to 0.95, of each class that has objects. */
  readonly classes: ReadonlyMap<number, number>;
}

/** np.linspace(0, 1, 101), to the last bit. */
const recalls: readonly number[] = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));

/**
 * Average precision as the COCO benchmark computes it (pycocotools, area "all", 100 boxes of a class): precision at 101 recalls, each the highest at this
 * recall or a larger one, averaged over the recalls, the overlaps from 0.5 to 0.95 in steps of 0.05, and the classes that have objects.
 *
 * Boxes of equal score count in the order in which their pictures come, as pycocotools has it (there: of the pictures' ids). Runs restore their records
 * in the data set's order, so that shards and resumed runs give the same numbers.
 *
 * @example
 * const metric = new DetectionMetric();
 * metric.update(decode(prediction, { least: 0.001, nms: 0.7, most: 100 }), truth); // truth float32 [M, 6]
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
    const curves = [...byClass]
      .sort(([a], [b]) => a - b)
      .flatMap(([label, matches]) => {
        const objects = matches.reduce((n, [, count]) => n + count, 0);
        return objects === 0 ? [] : [{ label, objects, ...curvesOf(matches, objects) }];
      });
    const at = (t: number) => mean(curves.map(({ precision }) => precision[t]!));
    return {
      samples: this.#samples.length,
      objects: curves.reduce((n, c) => n + c.objects, 0),
      mAP: mean(curves.flatMap(({ precision }) => precision)),
      mAP50: at(0),
      mAP75: at(5),
      recall: mean(curves.flatMap(({ recall }) => recall)),
      boxes: shown / this.#samples.length,
      score: sure.sum() / shown,
      classes: new Map(curves.map(({ label, precision }) => [label, mean(precision)])),
    };
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** Average precision and final recall of one class, for each overlap. */
function curvesOf(matches: readonly ClassMatch[], objects: number) {
  const boxes = matches.flatMap(([, , scores, right, ignored]) =>
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
