import { describe, expect, it } from "vitest";
import { tensor } from "../../engine/tensor/tensor.js";
import {
  classColor,
  disparityRange,
  flowColor,
  flowRadius,
  flowWheel,
  hex,
  renderDisparity,
  renderFlow,
  renderPerturbation,
  renderRestoration,
  renderSaliency,
  renderSegmentation,
  segmentationLegend,
  topClasses,
  viridis,
} from "./index.js";

const pixel = (image: { data: Float32Array; shape: readonly number[] }, i: number) => {
  const area = image.shape[1]! * image.shape[2]!;
  return [0, 1, 2].map((c) => image.data[c * area + i]!);
};

describe("colors", () => {
  it("viridis has the published ends and middle", () => {
    // matplotlib 3.8: viridis(0), viridis(0.5), viridis(1.0)
    for (const [t, published] of [
      [0, [0.267, 0.005, 0.329]],
      [0.5, [0.128, 0.567, 0.551]],
      [1, [0.993, 0.906, 0.144]],
    ] as const)
      viridis(t).forEach((v, c) => expect(Math.abs(v - published[c]!)).toBeLessThan(0.015));
  });

  it("the first classes are far from each other", () => {
    const colors = Array.from({ length: 21 }, (_, k) => classColor(k));
    expect(new Set(colors.map(hex)).size).toBe(21);
    for (let k = 1; k < 21; k++) {
      const distance = Math.hypot(...colors[k]!.map((v, c) => v - colors[k - 1]![c]!));
      expect(distance, `classes ${k - 1} and ${k}`).toBeGreaterThan(0.3);
    }
  });
});

describe("flow", () => {
  it("has the Middlebury hues: red to the right, yellow down, cyan to the left, blue-violet up", () => {
    const strongest = (u: number, v: number) => flowColor(u, v).map((x) => Math.round(x * 10) / 10);
    expect(strongest(1, 0)).toEqual([1, 0, 0]);
    expect(strongest(0, 1)).toEqual([1, 0.9, 0]);
    const [r, , b] = flowColor(0, -1);
    expect(b).toBe(1);
    expect(r).toBeLessThan(0.6);
    expect(flowColor(-1, 0)[0]).toBe(0);
  });

  it("no motion is white, and the wheel is white in the middle and outside", () => {
    expect(flowColor(0, 0)).toEqual([1, 1, 1]);
    const wheel = flowWheel(21);
    expect(pixel(wheel, 10 * 21 + 10)).toEqual([1, 1, 1]);
    expect(pixel(wheel, 0)).toEqual([1, 1, 1]);
    expect(pixel(wheel, 10 * 21 + 20)).toEqual([1, 0, 0]);
  });

  it("scales by a radius that outliers do not move", () => {
    const u = new Float32Array(200).fill(4);
    u[0] = 1e6;
    const flow = tensor("float32", [2, 10, 20], Float32Array.from([...u, ...new Float32Array(200)]));
    expect(flowRadius([flow])).toBe(4);
    expect(pixel(renderFlow(flow, 4), 5)).toEqual([1, 0, 0]);
  });
});

describe("segmentation", () => {
  const gray = tensor("float32", [3, 2, 2], new Float32Array(12).fill(0.5));

  it("colors classes and leaves ignored pixels as they are", () => {
    const out = renderSegmentation(tensor("int64", [2, 2], [0, 0, 1, 255]), gray, 3);
    expect(pixel(out, 2)).toEqual(pixel(tensor("float32", [3, 1, 1], [...classColor(1)]), 0));
    const ground = pixel(out, 3);
    expect(ground[0]).toBeCloseTo(0.6, 5);
    expect(new Set(ground).size).toBe(1);
  });

  it("two classes: the first is the background", () => {
    const map = tensor("int64", [2, 2], [0, 0, 0, 1]);
    expect(segmentationLegend([map], 2)).toEqual([
      { label: 0, color: undefined, share: 0.75 },
      { label: 1, color: classColor(1), share: 0.25 },
    ]);
    expect(pixel(renderSegmentation(map, gray, 2), 0)[0]).toBeCloseTo(0.6, 5);
  });
});

it("disparity: a common range, gray for what is unknown", () => {
  const map = tensor("float32", [1, 1, 3], [0, 10, Number.POSITIVE_INFINITY]);
  expect(disparityRange([map])).toEqual({ low: 0, high: 10 });
  const out = renderDisparity(map, { low: 0, high: 10 });
  expect(pixel(out, 2)).toEqual([0.5, 0.5, 0.5]);
  expect(pixel(out, 1)[0]).toBeCloseTo(viridis(1)[0], 6);
});

it("restoration: clamped, gray on three channels", () => {
  expect([...renderRestoration(tensor("float32", [1, 1, 2], [-0.5, 1.5])).data]).toEqual([0, 1, 0, 1, 0, 1]);
});

it("classification: the likeliest classes with their probabilities", () => {
  const top = topClasses(tensor("float32", [3], [0, Math.log(3), 1000 - 1000]), 2);
  expect(top[0]!.label).toBe(1);
  expect(top[0]!.probability).toBeCloseTo(0.6, 6);
  expect(top[1]).toEqual({ label: 0, probability: expect.closeTo(0.2, 6) });
});

it("perturbation: amplified to the end of the scale by a whole number", () => {
  const clean = tensor("float32", [3, 1, 1], [0.5, 0.5, 0.5]);
  const { image, gain } = renderPerturbation(tensor("float32", [3, 1, 1], [0.5 + 8 / 255, 0.5, 0.5 - 8 / 255]), clean);
  expect(gain).toBe(15);
  expect(image.data[0]).toBeCloseTo(0.5 + (15 * 8) / 255, 5);
  expect(image.data[1]).toBe(0.5);
  expect(renderPerturbation(clean, clean).gain).toBe(1);
});

it("saliency: bright where the gradient is large, on each pixel or around it", () => {
  const g = tensor("float32", [3, 1, 4], [0, 0, 0, -4, 0, 1, 0, 0, 0, 0, 0, 0]);
  const out = renderSaliency(g);
  expect(out.data[0]).toBeCloseTo(viridis(0)[0], 6);
  expect(pixel(out, 3)[0]).toBeGreaterThan(0.9);
  expect(pixel(out, 1)[1]).toBeGreaterThan(pixel(out, 0)[1]!);
  // |g| = 0, 1, 0, 4; means over three: 0.5, 1/3, 5/3, 2; the 99.5 % point of four values is the third.
  const around = renderSaliency(g, { radius: 1 });
  viridis(0.3).forEach((v, c) => expect(pixel(around, 0)[c]).toBeCloseTo(v, 5));
});
