import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../../engine/tensor/tensor.js";
import { ClassificationMetric } from "./classification.js";
import { DisparityMetric } from "./disparity.js";
import { FlowMetric } from "./flow.js";
import { type Metric, MetricError, OrderFreeSum } from "./metric.js";
import { RestorationMetric, type RestorationOptions } from "./restoration.js";
import { SegmentationMetric } from "./segmentation.js";

/** Inputs and values from tools/reference/metrics.py: numpy and scikit-image, not this code. */
const reference = (name: string) => JSON.parse(readFileSync(`fixtures/metrics/${name}.json`, "utf8"));

type Numbers = Record<string, unknown>;

/** Every number of `expected` is in `found`, to 1e-6; null in the file stands for NaN. */
function expectClose(found: unknown, expected: unknown, where = ""): void {
  if (typeof expected === "number") {
    expect(Math.abs((found as number) - expected), `${where}: ${found} for ${expected}`).toBeLessThanOrEqual(1e-6);
  } else if (expected === null) expect(found, where).toBeNaN();
  else
    for (const [key, value] of Object.entries(expected as Numbers))
      expectClose((found as Numbers)[key], value, `${where}.${key}`);
}

/** Adding stored samples, in any order and spread over shards, gives the very bits of one pass. */
function expectOrderFree<I extends readonly unknown[], S, R>(make: () => Metric<I, S, R>, inputs: readonly I[]): void {
  const whole = make();
  const stored: S[] = inputs.map((input) => JSON.parse(JSON.stringify(whole.update(...input))));
  const [first, second] = [make(), make()];
  stored.toReversed().forEach((sample, i) => {
    (i % 2 ? first : second).restore(sample);
  });
  second.merge(first);
  expect(second.result()).toEqual(whole.result());
}

describe("segmentation", () => {
  const { classes, ignore, samples, expected } = reference("segmentation");
  const inputs: [number[], number[], number[]][] = samples.map((s: Record<string, number[]>) => [
    s.prediction,
    s.target,
    s.valid,
  ]);
  const make = () => new SegmentationMetric(classes, { ignore });

  it("agrees with the reference per sample, in all, and per class", () => {
    const metric = make();
    inputs.forEach((input, i) => {
      const { pixels, aAcc, mAcc, mIoU } = samples[i].expected;
      expectClose(metric.update(...input), { pixels, aAcc, mAcc, mIoU });
    });
    const { iou, accuracy, confusion, ...scores } = expected;
    const result = metric.result();
    expectClose(result, scores);
    expectClose(
      result.classes.map((c) => c.iou),
      iou,
    );
    expectClose(
      result.classes.map((c) => c.accuracy),
      accuracy,
    );
    expect([...result.confusion]).toEqual(confusion);
    expect(result.samples).toBe(3);
  });

  it("does not depend on order or shards", () => expectOrderFree(make, inputs));

  it("takes 64-bit labels", () => {
    const metric = new SegmentationMetric(2);
    metric.update(BigInt64Array.of(0n, 1n, 1n), BigInt64Array.of(0n, 1n, 0n));
    expect(metric.result().aAcc).toBeCloseTo(2 / 3, 12);
  });

  it("refuses classes out of range, unequal lengths, and other class counts", () => {
    expect(() => make().update([0], [200])).toThrow(/target holds class 200, but there are classes 0 to 5; ignore that label/);
    expect(() => make().update([6], [0])).toThrow(/prediction holds class 6/);
    expect(() => make().update([Number.NaN], [0])).toThrow(MetricError);
    expect(() => make().update([0, 1], [0])).toThrow(/got 2 values as prediction where 1 belong/);
    expect(() => make().merge(new SegmentationMetric(5))).toThrow(MetricError);
    expect(() => new SegmentationMetric(0)).toThrow(MetricError);
  });

  it("is NaN where nothing is counted", () => {
    const metric = make();
    metric.update([0, 0], [255, -1]);
    expect(metric.result().mIoU).toBeNaN();
  });
});

describe("classification", () => {
  const { logits, targets, predicted, expected } = reference("classification");
  const inputs: [number[], number][] = logits.map((row: number[], i: number) => [row, targets[i]]);

  it("agrees with the reference", () => {
    const metric = new ClassificationMetric();
    inputs.forEach((input, i) => {
      expect(metric.update(...input).predicted).toBe(predicted[i]);
    });
    expectClose(metric.result(), expected);
  });

  it("does not depend on order or shards", () => expectOrderFree(() => new ClassificationMetric(), inputs));

  it("never calls a prediction right that is not a number", () => {
    const metric = new ClassificationMetric();
    expect(metric.update([Number.NaN, 1, 2], 0).rank).toBe(3);
    expect(metric.update([3, Number.NaN, 2], 0)).toEqual({ rank: 1, predicted: 1 });
    expect(metric.result().top1).toBe(0);
  });

  it("refuses a target that is no class", () => {
    expect(() => new ClassificationMetric().update([1, 2], 2)).toThrow(/target class is 2, but there are classes 0 to 1/);
  });
});

describe.each([
  ["flow", () => new FlowMetric(), "flAll"],
  ["disparity", () => new DisparityMetric(), "d1"],
] as const)("%s", (name, make, outlier) => {
  const { samples, expected } = reference(name);
  const inputs: [number[], number[], number[]][] = samples.map((s: Record<string, number[]>) => [
    s.prediction,
    s.target,
    s.valid,
  ]);

  it("agrees with the reference per sample, per pixel and per sample mean", () => {
    const metric = make();
    inputs.forEach((input, i) => {
      expectClose(metric.update(...input), samples[i].expected);
    });
    expectClose(metric.result(), expected);
  });

  it("does not depend on order or shards", () =>
    expectOrderFree<[number[], number[], number[]], never, unknown>(make as never, inputs));

  it("counts a prediction that is not a number as an outlier", () => {
    const [prediction, target] = inputs[0]!;
    const sample = make().update(
      prediction.map(() => Number.NaN),
      target,
    );
    expect((sample as unknown as Record<string, number>)[outlier]).toBe(1);
    expect(sample.endPointError).toBeNaN();
  });

  it("leaves out samples without valid pixels, and refuses unequal lengths", () => {
    const metric = make();
    const [prediction, target, valid] = inputs[0]!;
    metric.update(
      prediction,
      target,
      valid.map(() => 0),
    );
    expect(metric.result().samples).toBe(0);
    metric.update(prediction, target, valid);
    expect(metric.result().samples).toBe(1);
    expect(() => metric.update(prediction.slice(2), target)).toThrow(MetricError);
    expect(() => metric.update(prediction, target, [1])).toThrow(/valid mask/);
  });
});

describe("restoration", () => {
  const { samples } = reference("restoration");
  const settings: Record<string, RestorationOptions> = {
    default: {},
    gaussian: { window: "gaussian" },
    "gaussian population": { window: "gaussian", covariance: "population" },
    "uniform population": { covariance: "population" },
    luma: { channels: "luma" },
    "8-bit": { rounding: "8-bit" },
    "8-bit luma": { rounding: "8-bit", channels: "luma" },
  };
  const images = samples.map((s: { shape: number[]; prediction: number[]; target: number[] }) => [
    tensor("float64", s.shape, s.prediction),
    tensor("float64", s.shape, s.target),
  ]);

  it.each(Object.entries(settings))("agrees with scikit-image: %s", (name, options) => {
    const metric = new RestorationMetric(options);
    const mean = { psnr: 0, ssim: 0 };
    samples.forEach((s: { expected: Record<string, { psnr: number; ssim: number }> }, i: number) => {
      const expected = s.expected[name]!;
      expectClose(metric.update(images[i][0], images[i][1]), expected);
      mean.psnr += expected.psnr / samples.length;
      mean.ssim += expected.ssim / samples.length;
    });
    expectClose(metric.result(), { samples: 2, ...mean });
  });

  it("does not depend on order or shards", () => expectOrderFree(() => new RestorationMetric(), images));

  it("finds equal images equal, also after a trip through JSON", () => {
    const metric = new RestorationMetric();
    const sample = metric.update(images[0][0], images[0][0]);
    expect([sample.psnr, sample.ssim]).toEqual([Number.POSITIVE_INFINITY, 1]);
    metric.restore(JSON.parse(JSON.stringify(sample)));
    expect(metric.result()).toEqual({ samples: 2, psnr: Number.POSITIVE_INFINITY, ssim: 1 });
    expect(() => metric.restore({ ...sample, meanSquaredError: null as never })).toThrow(/holds null where a number belongs/);
  });

  it("refuses shapes it cannot compare", () => {
    const metric = new RestorationMetric();
    const image = tensor("float32", [3, 8, 8]);
    expect(() => metric.update(image, tensor("float32", [3, 8, 9]))).toThrow(
      /prediction is \[3, 8, 8\], but the target is \[3, 8, 9\]/,
    );
    expect(() => metric.update(tensor("float32", [3, 6, 9]), tensor("float32", [3, 6, 9]))).toThrow(
      /at least 7x7 pixels, not 9x6/,
    );
    expect(() => metric.update(tensor("float32", [1, 3, 8, 8]), tensor("float32", [1, 3, 8, 8]))).toThrow(/shape \[C, H, W\]/);
    const gray = tensor("float32", [1, 8, 8]);
    expect(() => new RestorationMetric({ channels: "luma" }).update(gray, gray)).toThrow(/RGB image, not one of 1 channels/);
  });
});

describe("OrderFreeSum", () => {
  it("gives the same bits in every order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 2 }),
        fc.infiniteStream(fc.nat()),
        (values, stream) => {
          const sum = (list: number[]) => {
            const total = new OrderFreeSum();
            for (const v of list) total.add(v);
            return total.sum();
          };
          const keys = new Map(values.map((_, i) => [i, stream.next().value as number]));
          const shuffled = values.map((v, i) => [keys.get(i)!, v] as const).sort((a, b) => a[0] - b[0]);
          expect(sum(shuffled.map(([, v]) => v))).toBe(sum(values));
        },
      ),
      { seed: 4 },
    );
  });
});

describe("update and restore cannot be confused", () => {
  const image = tensor("float32", [3, 12, 12], new Float32Array(432).fill(0.5));
  const made: readonly (readonly [string, () => Metric<readonly never[], never, unknown>, readonly unknown[]])[] = [
    ["classification", () => new ClassificationMetric() as never, [[1, 2, 3], 1]],
    [
      "segmentation",
      () => new SegmentationMetric(3) as never,
      [
        [0, 1, 2],
        [0, 1, 1],
      ],
    ],
    [
      "flow",
      () => new FlowMetric() as never,
      [
        [0, 1],
        [1, 1],
      ],
    ],
    [
      "disparity",
      () => new DisparityMetric() as never,
      [
        [1, 2],
        [1, 1],
      ],
    ],
    ["restoration", () => new RestorationMetric() as never, [image, image]],
  ];

  it.each(made)("%s: restore refuses predictions, and takes what update gave", (_, make, inputs) => {
    const metric = make();
    for (const wrong of [...inputs, undefined, tensor("float32", [3], [1, 2, 3])])
      expect(() => metric.restore(wrong as never)).toThrow(
        /^restore takes a sample that update gave.* call update\(prediction, target\)\.$/,
      );
    const sample = metric.update(...(inputs as never[]));
    metric.restore(sample);
    expect((metric.result() as { samples: number }).samples).toBe(2);
  });

  it.each(made.filter(([name]) => name !== "restoration"))("%s: update refuses stored samples and tensors", (_, make, inputs) => {
    const metric = make();
    const sample = metric.update(...(inputs as never[]));
    expect(() => metric.update(sample as never, inputs[1] as never)).toThrow(
      /update takes plain arrays.*a stored sample belongs to restore/,
    );
    const t = tensor("float32", [3], [1, 2, 3]);
    expect(() => metric.update(t as never, inputs[1] as never)).toThrow(/the prediction is a tensor: give its data/);
  });
});
