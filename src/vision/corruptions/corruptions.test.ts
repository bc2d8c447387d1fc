import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Random } from "../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { syntheticDataset } from "../data/index.js";
import { readImage } from "../data/node/index.js";
import { commonCorruptions, corruptedDataset, corruptImage, corruptions, type Severity, severities } from "./index.js";
import { statistics } from "./testing/statistics.js";

const golden = new URL("../../../fixtures/golden/corruptions/", import.meta.url);
interface Exact {
  readonly kind: string;
  readonly severity: Severity;
  readonly picture: "cat" | "cup";
  readonly values: string;
}
type Spread = { readonly mean: number | readonly number[]; readonly std_over_draws: number | readonly number[] };
interface Drawn extends Readonly<Record<string, unknown>> {
  readonly kind: string;
  readonly severity: Severity;
  readonly draws: number;
}
const { exact, random } = JSON.parse(readFileSync(new URL("manifest.json", golden), "utf8")) as {
  readonly exact: readonly Exact[];
  readonly random: readonly Drawn[];
};
const pictures = {
  cat: await readImage(fileURLToPath(new URL("cat.png", golden))),
  cup: await readImage(fileURLToPath(new URL("cup.png", golden))),
};
const called = (kind: string) => corruptions[kind]!;

const level = (v: number) => Math.round(v * 255);

describe("against the reference implementation", () => {
  it.each(exact)("$kind, severity $severity, $picture: the same 8-bit values", ({ kind, severity, picture, values }) => {
    const { data, shape } = corruptImage(pictures[picture], "any", { corruption: called(kind), severity });
    const area = shape[1]! * shape[2]!;
    const wanted = [...Buffer.from(values, "base64")];
    const found = wanted.map((_, i) => level(data[((7919 * Math.floor(i / 3) + 17) % area) + (i % 3) * area]!));
    const off = wanted.map((v, i) => Math.abs(v - found[i]!));
    // JPEG depends on the encoder, where a coefficient lies between two levels of its table.
    const [most, mean] = kind === "jpeg_compression" ? [20, 0.5] : [1, 0.25];
    expect(Math.max(...off)).toBeLessThanOrEqual(most);
    expect(off.reduce((a, b) => a + b) / off.length).toBeLessThan(mean);
  });

  // Ten draws of each: means must lie within some standard errors of both sides; quantiles are in whole levels.
  it.each(random)("$kind, severity $severity: the same statistics over draws", (reference) => {
    const { kind, severity } = reference;
    const draws = 10;
    // The spectrum takes most of the time, and says the same at every severity.
    const kept = severity === 3 ? [] : ["spectrum"];
    const all = Array.from({ length: draws }, (_, i) =>
      statistics(corruptImage(pictures.cat, `draw ${i}`, { corruption: called(kind), severity }), pictures.cat, kept),
    );
    for (const [name, first] of Object.entries(all[0]!)) {
      const { mean, std_over_draws } = reference[name] as Spread;
      const [means, deviations] = [[mean].flat(), [std_over_draws].flat()];
      expect(means).toHaveLength(first.length);
      for (const [i, wanted] of means.entries()) {
        const values = all.map((s) => s[name]![i]!);
        const found = values.reduce((a, b) => a + b) / draws;
        const variance = values.reduce((a, b) => a + (b - found) ** 2, 0) / (draws - 1);
        const error = Math.sqrt(deviations[i]! ** 2 / reference.draws + variance / draws);
        const rounding = name === "quantiles" ? 0.5 / 255 : 1e-5;
        expect(Math.abs(found - wanted), `${name}[${i}]: ${found} for ${wanted}`).toBeLessThan(4.5 * error + rounding);
      }
    }
  });
});

const noise = (height: number, width: number): Tensor<"float32"> => {
  const random = new Random("picture");
  return tensor(
    "float32",
    [3, height, width],
    Float32Array.from({ length: 3 * height * width }, () => random.integer(256) / 255),
  );
};
const strongest = (kind: string, severity: Severity, size: readonly [number, number], picture = noise(...size)) =>
  corruptImage(picture, "a", { corruption: called(kind), severity, overlays: [noise(9, 14)] });

describe.each(Object.keys(corruptions))("%s", (kind) => {
  it.each([
    [1, 1],
    [1, 17],
    [2, 3],
    [31, 5],
    [33, 47],
    [64, 96],
  ] as const)("a picture of %i x %i keeps its size and whole levels in [0, 1], at every severity", (height, width) => {
    for (const severity of severities) {
      const { shape, data } = strongest(kind, severity, [height, width]);
      expect(shape).toEqual([3, height, width]);
      expect(data.every((v) => v >= 0 && v <= 1 && Math.abs(v * 255 - level(v)) < 1e-4)).toBe(true);
    }
  });

  it("the same seed and name give the same bits; what is random depends on both", () => {
    const again = () => strongest(kind, 3, [24, 32]).data;
    expect(again()).toEqual(again());
    const drawn = { corruption: called(kind), severity: 3, overlays: [noise(40, 60)] } as const;
    const of = (name: string, seed: number) => corruptImage(noise(24, 32), name, { ...drawn, seed }).data.join();
    const isRandom = random.some((r) => r.kind === kind) || kind.endsWith("frost");
    expect(of("a", 0) === of("b", 0)).toBe(!isRandom);
    expect(of("a", 0) === of("a", 1)).toBe(!isRandom);
  });

  // Saturation falls at first and rises then; frost both darkens and brightens.
  it.skipIf(["saturate", "procedural_frost"].includes(kind))("grows with severity", () => {
    const picture = pictures.cup;
    const distance = (severity: Severity) => {
      const { data } = strongest(kind, severity, [0, 0], picture);
      return data.reduce((sum, v, i) => sum + (v - picture.data[i]!) ** 2, 0);
    };
    expect(distance(5)).toBeGreaterThan(distance(1));
    expect(distance(1)).toBeGreaterThan(0);
  });
});

it.each([
  "gaussian_blur",
  "defocus_blur",
  "glass_blur",
  "motion_blur",
  "elastic_transform",
  "pixelate",
  "contrast",
  "jpeg_compression",
])("%s leaves a gray picture gray, to its edges", (kind) => {
  for (const size of [
    [7, 11],
    [40, 64],
  ] as const) {
    const gray = tensor("float32", [3, ...size], new Float32Array(3 * size[0] * size[1]).fill(128 / 255));
    for (const severity of severities) {
      const { data } = strongest(kind, severity, size, gray);
      expect(Math.max(...data.map((v) => Math.abs(level(v) - 128)))).toBeLessThanOrEqual(2);
    }
  }
});

it("ImageNet-C's fifteen are fifteen", () => {
  expect(commonCorruptions).toHaveLength(15);
  expect(Object.keys(corruptions)).toHaveLength(20);
});

it("frost without photographs is refused", () => {
  expect(() => corruptImage(pictures.cup, "a", { corruption: called("frost"), severity: 1 })).toThrow(
    "frost lays pictures over the image, and none were given.",
  );
});

it("a data set keeps its truth; both images of a pair are corrupted, each by its own draw", async () => {
  const clean = syntheticDataset({ task: "flow", size: 32, length: 2, seed: 1 });
  const corrupted = corruptedDataset(clean, { corruption: called("gaussian_noise"), severity: 3 });
  const [a, b] = [await clean.sample(1), await corrupted.sample(1)];
  expect(b.target).toEqual(a.target);
  expect(b.id).toBe(a.id);
  const [first, second] = Object.keys(a.inputs).map((role) =>
    b.inputs[role]!.data.map((v, i) => v - a.inputs[role]!.data[i]!),
  ) as [Float32Array, Float32Array];
  const product = first.reduce((sum, v, i) => sum + v * second[i]!, 0);
  const power = Math.sqrt(first.reduce((s, v) => s + v * v, 0) * second.reduce((s, v) => s + v * v, 0));
  expect(power).toBeGreaterThan(1);
  expect(Math.abs(product / power)).toBeLessThan(0.1);
  expect(corrupted.describe()).toContain("gaussian_noise, severity 3");
});
