import { describe, expect, it } from "vitest";
import { tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { type Dataset, datasetOf, type Sample } from "./dataset.js";
import { DataError } from "./error.js";
import { type Fit, fitted, resizeImage } from "./fit.js";
import { syntheticDataset } from "./synthetic/dataset.js";

describe("resizeImage", () => {
  const image = tensor(
    "float32",
    [1, 5, 7],
    Array.from({ length: 35 }, (_, i) => ((i * 37) % 101) / 100),
  );
  // torch.nn.functional.interpolate(image, size, mode="bilinear", antialias=True), PyTorch 1.13.
  it.each<[string, [number, number], number[]]>([
    [
      "smaller",
      [3, 4],
      [0.417483, 0.506, 0.373029, 0.525306, 0.430688, 0.562933, 0.471644, 0.627831, 0.436258, 0.623714, 0.461886, 0.482245],
    ],
    [
      "lower and wider",
      [2, 11],
      [
        0.294545, 0.44186, 0.614711, 0.587231, 0.509669, 0.394545, 0.337851, 0.406364, 0.641818, 0.576777, 0.494545, 0.424545,
        0.404917, 0.410826, 0.617066, 0.639669, 0.524545, 0.467851, 0.448719, 0.479669, 0.560702, 0.624545,
      ],
    ],
  ])("gives PyTorch's values: %s", (_, [height, width], expected) => {
    const resized = resizeImage(image, height, width);
    expect(resized.shape).toEqual([1, height, width]);
    toNumbers(resized).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 5);
    });
  });

  it("keeps a picture of the right size", () => {
    expect(resizeImage(image, 5, 7)).toEqual(image);
  });
});

describe("fitted", () => {
  const grid = (height: number, width: number) => Array.from({ length: height * width }, (_, i) => i);
  const sample: Sample = {
    id: "one",
    inputs: { image: tensor("float32", [3, 5, 6], [...grid(5, 6), ...grid(5, 6), ...grid(5, 6)]) },
    target: tensor("int32", [5, 6], grid(5, 6)),
  };
  const dataset: Dataset = datasetOf(
    { name: "test", task: "segmentation", ignoreLabel: 255, classNames: [] },
    [sample],
    "One sample.",
    async (s) => s,
  );

  it("crops the middle, where torchvision's CenterCrop does: round(3 / 2) = 2, round(1 / 2) = 0", async () => {
    const { inputs, target } = await fitted(dataset, { kind: "crop", height: 4, width: 3 }).sample(0);
    expect(target).toEqual(tensor("int32", [4, 3], [2, 3, 4, 8, 9, 10, 14, 15, 16, 20, 21, 22]));
    expect([...inputs.image!.data.subarray(12, 24)]).toEqual([...target!.data]);
  });

  it("resizes labels to the nearest, never mixing them", async () => {
    const { target } = await fitted(dataset, { kind: "resize", height: 10, width: 3 }).sample(0);
    expect([...target!.data.subarray(0, 6)]).toEqual([1, 3, 5, 1, 3, 5]);
    expect(target!.shape).toEqual([10, 3]);
  });

  it("brings the shorter side to a length and keeps the shape", async () => {
    const { inputs, target } = await fitted(dataset, { kind: "resize-shorter", side: 3 }).sample(0);
    expect([inputs.image!.shape, target!.shape]).toEqual([
      [3, 3, 3],
      [3, 3],
    ]);
    const classification = syntheticDataset({ task: "classification", size: { height: 40, width: 20 }, length: 9, seed: 1 });
    const resized = await fitted(classification, { kind: "resize-shorter", side: 16 }).sample(8);
    expect(resized.inputs.image!.shape).toEqual([3, 32, 16]);
    expect(resized.target).toEqual(tensor("int64", [], [0]));
  });

  it("crops flow with its masks", async () => {
    const flow = syntheticDataset({ task: "flow", size: 32, length: 1, seed: 1 });
    const whole = await flow.sample(0);
    const { target, valid } = await fitted(flow, { kind: "crop", height: 16, width: 16 }).sample(0);
    expect(target!.shape).toEqual([2, 16, 16]);
    expect(target!.data[17]).toBe(whole.target!.data[9 * 32 + 9]);
    expect(valid!.data[17]).toBe(whole.valid!.data[9 * 32 + 9]);
  });

  it.each<[Fit, RegExp]>([
    [{ kind: "crop", height: 0, width: 2 }, /whole pixels of at least 1, not 0x2/],
    [{ kind: "resize-shorter", side: 2.5 }, /not 2\.5/],
  ])("refuses %j", (fit, message) => {
    expect(() => fitted(dataset, fit)).toThrow(DataError);
    expect(() => fitted(dataset, fit)).toThrow(message);
  });

  it("brings motion and disparity into pixels of the new size, by the nearest pixel", async () => {
    for (const task of ["flow", "disparity"] as const) {
      const dataset = syntheticDataset({ task, size: 32, length: 1, seed: 1 });
      const before = (await dataset.sample(0)).target!;
      const { target, valid } = await fitted(dataset, { kind: "resize", height: 8, width: 16 }).sample(0);
      const planes = task === "flow" ? 2 : 1;
      for (let c = 0; c < planes; c++)
        for (const [y, x] of [
          [0, 0],
          [3, 7],
          [7, 15],
        ] as const) {
          const old = Number(before.data[(c * 32 + Math.floor((y + 0.5) * 4)) * 32 + Math.floor((x + 0.5) * 2)]);
          expect(Number(target!.data[(c * 8 + y) * 16 + x])).toBeCloseTo(old * (c === 0 ? 0.5 : 0.25), 5);
        }
      if (valid) expect(valid.shape).toEqual([8, 16]);
    }
  });

  it("refuses to crop what is too small", async () => {
    const flow = syntheticDataset({ task: "flow", size: 32, length: 1, seed: 1 });
    await expect(fitted(flow, { kind: "crop", height: 40, width: 16 }).sample(0)).rejects.toThrow(/synthetic\/0 is 32x32.*40x16/);
  });
});
