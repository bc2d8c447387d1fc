import { describe, expect, it } from "vitest";
import { createEngine } from "../../engine/runtime/node.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { constantCriticality, directionSums } from "./constant-prediction.js";

describe("the constant prediction", () => {
  it("has 1 - 1/sqrt(K) with K equally frequent classes, over what counts alone and over batches", async () => {
    await using engine = await createEngine();
    const prediction = (...classes: number[]) => {
      // sure of one class each
      const t = tensor("float32", [2, 4, 1, 2]);
      classes.forEach((k, i) => {
        t.data[(Math.floor(i / 2) * 4 + k) * 2 + (i % 2)] = 50;
      });
      return t;
    };
    const weight = (...counts: number[]) => tensor("float32", [2, 1, 2], counts);
    const batches = [
      { prediction: prediction(0, 1, 2, 2), weight: weight(1, 1, 1, 0) },
      { prediction: prediction(3, 0, 0, 0), weight: weight(1, 0, 0, 0) },
    ];
    const sums = await directionSums(engine, [2, 4, 1, 2], batches);
    sums.forEach((v) => expect(v).toBeCloseTo(1, 5));
    expect(constantCriticality(sums, 4)).toBeCloseTo(0.5, 5);
  });

  it("is refused where the network yields no numbers", async () => {
    await using engine = await createEngine();
    const prediction = tensor("float32", [2, 4, 1, 2], new Array(16).fill(Number.NaN));
    const batch = { prediction, weight: tensor("float32", [2, 1, 2], [1, 1, 1, 1]) };
    await expect(directionSums(engine, [2, 4, 1, 2], [batch])).rejects.toThrow(/no numbers/);
  });

  it("is the closest of all constant predictions", () => {
    const unit = (v: number[]) => v.map((x) => x / Math.hypot(...v));
    const predictions = [
      [0.7, 0.2, 0.1],
      [0.1, 0.8, 0.1],
      [0.6, 0.3, 0.1],
    ].map(unit);
    const sums = [0, 1, 2].map((k) => predictions.reduce((sum, p) => sum + p[k]!, 0));
    const distance = (q: number[]) =>
      predictions.reduce((sum, p) => sum + 1 - p.reduce((s, x, k) => s + x * unit(q)[k]!, 0), 0) / predictions.length;
    const found = constantCriticality(sums, predictions.length);
    expect(distance(sums)).toBeCloseTo(found, 12);
    for (const q of [
      [1, 0, 0],
      [0, 1, 0],
      [1, 1, 1],
      [0.5, 0.4, 0.1],
    ])
      expect(distance(q)).toBeGreaterThan(found);
  });
});
