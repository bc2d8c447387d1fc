import { expect, it } from "vitest";
import { Random } from "../../engine/tensor/random.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { tasks } from "../tasks/index.js";
import { worstChoice } from "./measure.js";
import { lowestMeanIou, SegmentationMetric, type SegmentationSample } from "./segmentation.js";

const classes = 3;
const of = (samples: readonly SegmentationSample[]) => {
  const metric = new SegmentationMetric(classes);
  for (const sample of samples) metric.restore(sample);
  return metric.result().mIoU;
};

/** All ways of taking one of the results for each sample. */
function* ways(choices: number, samples: number): Generator<number[]> {
  for (let code = 0; code < choices ** samples; code++)
    yield Array.from({ length: samples }, (_, i) => Math.floor(code / choices ** i) % choices);
}

it("takes what makes the mIoU of all low: no worse than any member, the lowest of all ways or next to it", () => {
  let exact = 0;
  for (let trial = 0; trial < 20; trial++) {
    const random = new Random(trial, "choices");
    const labels = Array.from({ length: 5 }, () => Int32Array.from({ length: 12 }, () => random.integer(classes)));
    const choices = Array.from({ length: 3 }, () =>
      labels.map((y) =>
        new SegmentationMetric(classes).update(
          y.map((k) => (random.uniform(0, 1) < 0.5 ? k : random.integer(classes))),
          y,
        ),
      ),
    );
    const taken = (way: readonly number[]) => of(way.map((c, i) => choices[c]![i]!));
    const found = taken(lowestMeanIou(choices, classes));
    const lowest = Math.min(...[...ways(3, 5)].map(taken));
    for (const member of choices) expect(found).toBeLessThanOrEqual(of(member));
    expect(found - lowest).toBeLessThan(0.03);
    if (found - lowest < 1e-12) exact++;
  }
  expect(exact).toBeGreaterThan(10);
});

it("is another choice than the worst of each sample", () => {
  // One rare class: losing its few pixels costs more of the mIoU than losing more pixels of the frequent one.
  const y = Int32Array.from([...new Array<number>(20).fill(0), 1]);
  const many = y.map((k, i) => (i < 4 ? 1 : k));
  const rare = y.map(() => 0);
  const choices = [many, rare].map((p) => [new SegmentationMetric(2).update(p, y)]);
  expect(choices[0]![0]!.aAcc).toBeLessThan(choices[1]![0]!.aAcc);
  expect(lowestMeanIou([choices[0]!, choices[1]!], 2)).toEqual([choices[1]![0]!.mIoU < choices[0]![0]!.mIoU ? 1 : 0]);
});

it("a mean of samples is worst where each sample is", () => {
  const measure = tasks.flow.measure({ classes: 2, ignore: [] });
  const zero = tensor("float32", [2, 1, 1], [0, 0]);
  const at = (error: number) => measure.sample(tensor("float32", [2, 1, 1], [error, 0]), zero, undefined);
  expect(
    worstChoice(measure, [
      [at(1), at(5)],
      [at(3), at(2)],
    ]),
  ).toEqual([1, 0]);
});
