import { describe, expect, it } from "vitest";
import { Random } from "../../../engine/tensor/random.js";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { taskNames } from "../../tasks/names.js";
import type { Sample } from "../dataset.js";
import { DataError } from "../error.js";
import { crc32 } from "../formats/crc32.js";
import { compose, invert } from "./affine.js";
import { type SyntheticOptions, syntheticDataset } from "./dataset.js";
import { encode, encodedMean } from "./light.js";
import { shapeKinds, signedDistance } from "./shapes.js";

const sampleOf = (options: Partial<SyntheticOptions>, index = 0) =>
  syntheticDataset({ task: "flow", size: 96, length: 50, seed: 1, ...options }).sample(index);

/** Mean absolute difference between view 1 and view 2 read (bilinearly) where the truth points, over settled pixels. */
function warpError(first: Tensor, second: Tensor, shift: (i: number) => [u: number, v: number], { target, valid }: Sample) {
  const [, height, width] = first.shape as [number, number, number];
  const area = height * width;
  const values = target!.data as Float32Array;
  const settled = (x: number, y: number) => {
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) {
        const j = (y + dy) * width + x + dx;
        // Another layer begins where the truth jumps; pixels there mix two surfaces.
        for (let at = 0; at < values.length; at += area)
          if (Math.abs(values[at + j]! - values[at + y * width + x]!) > 0.4) return false;
        if (valid!.data[j] !== 1) return false;
      }
    }
    return true;
  };
  let sum = 0;
  let count = 0;
  for (let y = 2; y < height - 2; y++) {
    for (let x = 2; x < width - 2; x++) {
      if (!settled(x, y)) continue;
      const [u, v] = shift(y * width + x);
      const column = Math.min(width - 2, Math.max(0, Math.floor(x + u)));
      const row = Math.min(height - 2, Math.max(0, Math.floor(y + v)));
      const [s, t] = [x + u - column, y + v - row];
      for (let c = 0; c < 3; c++) {
        const at = (dy: number, dx: number) => second.data[c * area + (row + dy) * width + column + dx] as number;
        const value = (1 - t) * ((1 - s) * at(0, 0) + s * at(0, 1)) + t * ((1 - s) * at(1, 0) + s * at(1, 1));
        sum += Math.abs(value - (first.data[c * area + y * width + x] as number));
        count++;
      }
    }
  }
  return { error: sum / count, share: count / (3 * area) };
}

describe("synthetic flow", () => {
  it.each([0, 1, 2, 3, 4, 5])("leads from frame 1 to frame 2 (sample %i)", async (index) => {
    const sample = await sampleOf({ task: "flow" }, index);
    const { image1, image2 } = sample.inputs;
    const flow = sample.target!.data as Float32Array;
    expect(sample.target!.shape).toEqual([2, 96, 96]);
    const truth = warpError(image1!, image2!, (i) => [flow[i]!, flow[96 * 96 + i]!], sample);
    const backwards = warpError(image1!, image2!, (i) => [-flow[i]!, -flow[96 * 96 + i]!], sample);
    expect(truth.share).toBeGreaterThan(0.4);
    expect(truth.error).toBeLessThan(0.015);
    expect(backwards.error).toBeGreaterThan(2 * truth.error);
  });

  it("marks what leaves the picture or is covered as not valid", async () => {
    const sample = await sampleOf({ task: "flow", displacement: 0.15 }, 7);
    const flow = sample.target!.data as Float32Array;
    let inside = 0;
    sample.valid!.data.forEach((v, i) => {
      const [x, y] = [(i % 96) + flow[i]!, Math.floor(i / 96) + flow[96 * 96 + i]!];
      const stays = x >= 0 && y >= 0 && x <= 95 && y <= 95;
      if (v === 1) expect(stays).toBe(true);
      else if (stays) inside++;
    });
    expect(inside).toBeGreaterThan(20);
  });

  it("is zero and valid everywhere when nothing moves", async () => {
    const { inputs, target, valid } = await sampleOf({ task: "flow", displacement: 0 });
    expect(Math.max(...(target!.data as Float32Array).map(Math.abs))).toBeLessThan(1e-5);
    expect(inputs.image1).toEqual(inputs.image2);
    // The outermost pixels may round to just outside.
    expect(valid!.data.reduce((n, v) => n + v, 0)).toBeGreaterThan(94 * 94);
  });
});

describe("synthetic disparity", () => {
  it.each([0, 1, 2, 3, 4, 5])("leads from left to right (sample %i)", async (index) => {
    const sample = await sampleOf({ task: "disparity" }, index);
    const disparity = sample.target!.data as Float32Array;
    expect(sample.target!.shape).toEqual([1, 96, 96]);
    expect(Math.min(...disparity)).toBeGreaterThan(0);
    expect(Math.max(...disparity)).toBeLessThan(0.08 * 96);
    const { left, right } = sample.inputs;
    const truth = warpError(left!, right!, (i) => [-disparity[i]!, 0], sample);
    const wrongSign = warpError(left!, right!, (i) => [disparity[i]!, 0], sample);
    expect(truth.share).toBeGreaterThan(0.4);
    expect(truth.error).toBeLessThan(0.015);
    expect(wrongSign.error).toBeGreaterThan(2 * truth.error);
  });
});

describe("synthetic deblurring", () => {
  it("takes the middle frame as the target, and blurs", async () => {
    const options = { task: "restoration", size: { height: 64, width: 80 }, displacement: 0.15 } as const;
    const { inputs, target } = await sampleOf(options);
    expect(target!.shape).toEqual([3, 64, 80]);
    const alone = await sampleOf({ ...options, subframes: 1 });
    expect(alone.inputs.image).toEqual(target);
    expect(alone.target).toEqual(target);
    const contrast = ({ data }: Tensor<"float32">) => data.reduce((sum, v, i) => sum + (v - (data[i + 1] ?? v)) ** 2, 0);
    expect(contrast(inputs.image!)).toBeLessThan(0.8 * contrast(target as Tensor<"float32">));
  });

  it("takes as many frames as leave no ghosts, nine at least", async () => {
    const blurred = async (options: Partial<SyntheticOptions>) =>
      (await sampleOf({ task: "restoration", ...options })).inputs.image;
    // 0.1 and 0.3 of 96 pixels are 9.6 and 28.8: 28.8 / 1.5 = 19.2.
    expect(await blurred({ displacement: 0.1 })).toEqual(await blurred({ displacement: 0.1, subframes: 9 }));
    expect(await blurred({ displacement: 0.3 })).toEqual(await blurred({ displacement: 0.3, subframes: 19 }));
  });

  it("averages light or stored values, as GoPro's two variants", () => {
    const frames = [Float32Array.of(0, 0.25), Float32Array.of(1, 0.25)];
    expect(Array.from(encodedMean(frames, "light"), (v) => Math.round(v * 255))).toEqual([
      Math.round(255 * 0.5 ** (1 / 2.2)),
      136,
    ]);
    expect(Array.from(encodedMean(frames, "stored"), (v) => Math.round(v * 255))).toEqual([128, 136]);
  });

  it("encodes every level within the table's error", () => {
    const light = Float32Array.from({ length: 10_001 }, (_, i) => i / 10_000);
    encode(light).forEach((v, i) => {
      expect(Math.abs(v * 255 - 255 * (i / 10_000) ** (1 / 2.2))).toBeLessThan(0.5 + 0.03);
    });
  });
});

describe("synthetic labels", () => {
  it("gives every shape's class where it lies and 0 on the backdrop", async () => {
    const dataset = syntheticDataset({ task: "segmentation", size: 96, length: 12, seed: 3 });
    const seen = new Set<number>();
    for (let i = 0; i < dataset.length; i++) {
      const { target } = await dataset.sample(i);
      expect([target!.type, target!.shape]).toEqual(["int32", [96, 96]]);
      for (const label of target!.data) seen.add(Number(label));
    }
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(dataset).toMatchObject({ ignoreLabel: 255, classNames: ["background", ...shapeKinds] });
  });

  it("goes round the classes in classification", async () => {
    const dataset = syntheticDataset({ task: "classification", size: 32, length: 10, seed: 3 });
    const labels = await Promise.all([0, 1, 7, 8, 9].map(async (i) => (await dataset.sample(i)).target!.data[0]));
    expect(labels).toEqual([0n, 1n, 7n, 0n, 1n]);
  });
});

describe("synthetic datasets", () => {
  it.each(taskNames)("give the same bytes for the same seed, whatever was drawn before (%s)", async (task) => {
    const options = { task, size: 48, length: 4 } as const;
    const once = await syntheticDataset({ ...options, seed: 5 }).sample(2);
    const again = syntheticDataset({ ...options, seed: 5 });
    await again.sample(0);
    expect(await again.sample(2)).toEqual(once);
    expect((await syntheticDataset({ ...options, seed: 6 }).sample(2)).inputs).not.toEqual(once.inputs);
    for (const image of Object.values(once.inputs)) {
      for (const v of image.data) expect(Math.abs(v * 255 - Math.round(v * 255))).toBeLessThan(1e-4);
    }
  });

  it("keeps its pictures from version to version: results that were published rest on them", async () => {
    const { inputs, target } = await sampleOf({ task: "restoration", seed: 1 });
    const checksum = ({ data }: Tensor) => crc32(Uint8Array.from(data as Float32Array, (v) => Math.round(v * 255))).toString(16);
    expect([checksum(inputs.image!), checksum(target!)]).toEqual(["d152ceda", "14cced09"]);
  });

  it.each<[Partial<SyntheticOptions>, RegExp]>([
    [{ size: 8 }, /at least 16x16/],
    [{ length: 0 }, /length/],
    [{ displacement: 0.9 }, /displacement/],
    [{ task: "restoration", subframes: 4 }, /odd/],
  ])("refuse %j", (options, message) => {
    expect(() => sampleOf(options)).toThrow(DataError);
    expect(() => sampleOf(options)).toThrow(message);
  });
});

describe("geometry", () => {
  it("inverts and composes affine maps", () => {
    const map = [1.2, 0.3, 5, -0.4, 0.9, -7] as const;
    const identity = compose(map, invert(map));
    identity.forEach((v, i) => {
      expect(v).toBeCloseTo([1, 0, 0, 0, 1, 0][i]!, 12);
    });
  });

  it.each(shapeKinds)("has true distances for the %s: steps of one at most, negative inside only", (kind) => {
    const distance = signedDistance(kind);
    const random = new Random(2);
    for (let i = 0; i < 2000; i++) {
      const [x, y] = [random.uniform(-1.2, 1.2), random.uniform(-1.2, 1.2)];
      const [dx, dy] = [random.uniform(-0.1, 0.1), random.uniform(-0.1, 0.1)];
      expect(Math.abs(distance(x + dx, y + dy) - distance(x, y))).toBeLessThanOrEqual(Math.hypot(dx, dy) + 1e-12);
      if (Math.hypot(x, y) > 1.08) expect(distance(x, y)).toBeGreaterThan(0);
    }
  });
});
