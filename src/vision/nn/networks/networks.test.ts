import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sizeOf } from "../../../engine/tensor/tensor.js";
import { declarations, type InputShapes } from "../model.js";
import { findNetwork, type NetworkConfiguration, publishedNetworks, recognizeConfiguration } from "./index.js";
import type { NafnetConfiguration } from "./nafnet.js";
import type { RestormerConfiguration } from "./restormer.js";

const official: Record<string, { tensors: number; sha256: string }> = JSON.parse(
  readFileSync(new URL("../../../../fixtures/golden/networks/names.json", import.meta.url), "utf8"),
);

function declare(which: string | NetworkConfiguration) {
  const { network, inputs, imageChannels, multipleOf } = findNetwork(which);
  const side = Math.max(multipleOf, 64);
  const shapes: InputShapes = Object.fromEntries(inputs.map((name) => [name, [1, imageChannels, side, side]]));
  return declarations(network, shapes);
}

const lines = (which: string | NetworkConfiguration): string[] =>
  [...declare(which)].map(([name, { shape }]) => `${name} ${shape.join(",")}`).sort();

describe("names and shapes are those of the official code", () => {
  const configurations: Record<string, string> = {
    "NAFNet-GoPro-width32": "nafnet-gopro-w32",
    "NAFNet-GoPro-width64": "nafnet-gopro-w64",
    "NAFNet-SIDD-width32": "nafnet-sidd-w32",
    "NAFNet-SIDD-width64": "nafnet-sidd-w64",
    "Baseline-GoPro-width32": "baseline-gopro-w32",
    "Baseline-GoPro-width64": "baseline-gopro-w64",
    "Baseline-SIDD-width32": "baseline-sidd-w32",
    "Baseline-SIDD-width64": "baseline-sidd-w64",
    "Restormer-motion-deblurring": "restormer-motion-deblurring",
    "Restormer-gaussian-color-denoising": "restormer-gaussian-color-denoising",
  };
  test.each(Object.entries(official))("%s", (name, { tensors, sha256 }) => {
    const found = lines(configurations[name]!);
    expect(found.length).toBe(tensors);
    expect(createHash("sha256").update(found.join("\n")).digest("hex")).toBe(sha256);
  });
});

// Trainable parameters as torchvision 0.15, timm 0.9 and milesial/Pytorch-UNet document them.
test.each([
  ["resnet18", 11_689_512],
  ["resnet34", 21_797_672],
  ["resnet50", 25_557_032],
  ["resnet101", 44_549_160],
  ["unet", 31_037_698],
])("%s has %i parameters", (name, expected) => {
  const trained = [...declare(name).values()].filter((d) => d.role === "parameter");
  expect(trained.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(expected);
});

test("the ConvNeXt-tiny encoder has timm's parameters less the classifier's", () => {
  const encoder = [...declare("unet-convnext-tiny").values()].filter((d) => d.name.startsWith("encoder."));
  const head = 768 * 1000 + 1000 + 2 * 768;
  expect(encoder.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(28_589_128 - head);
});

test.each(Object.keys(publishedNetworks))("%s is recognized from its parameters", (name) => {
  const recognized = recognizeConfiguration(declare(name));
  expect(recognized.family).toBe(publishedNetworks[name]!.family);
  expect(lines(recognized)).toEqual(lines(name));
  expect(recognized).toMatchObject(publishedNetworks[name]!);
});

test("what is not known is said", () => {
  expect(() => findNetwork("nafnet")).toThrow(/no network "nafnet"; choose one of .*nafnet-gopro-w32/);
  expect(() => recognizeConfiguration(new Map([["module.weight", { shape: [1] }]]))).toThrow(/module\.weight.*strip a prefix/);
  expect(() => declarations(findNetwork("nafnet-gopro-w32").network, { image: [1, 1, 32, 32] })).toThrow(
    /\[N, 3, H, W\], not \[1, 1, 32, 32\]/,
  );
});

const nafnet = publishedNetworks["nafnet-gopro-w32"] as NafnetConfiguration;
const restormer = publishedNetworks["restormer-motion-deblurring"] as RestormerConfiguration;
const unet = { family: "unet", width: 4, levels: 2, outputChannels: 3, normalization: "none", output: "residual" } as const;

test.each<[NetworkConfiguration, RegExp]>([
  [{ ...nafnet, decoderBlocks: [1, 1] }, /nafnet cannot be built: encoderBlocks has 4 levels and decoderBlocks 2/],
  [{ ...nafnet, depthwiseExpansion: 1.01 }, /width 32 times depthwiseExpansion 1.01 must be a whole number that 2 divides/],
  [{ ...nafnet, width: 5, feedForwardExpansion: 1 }, /width 5 times feedForwardExpansion 1 must be a whole number that 2/],
  [{ ...nafnet, width: 6, depthwiseExpansion: 1, attention: "channel" }, /depthwiseExpansion 1 must be a whole number that 4/],
  [{ ...restormer, width: 7 }, /restormer cannot be built: width 7 must be even/],
  [{ ...restormer, heads: [5, 2, 4, 8] }, /the 48 channels of level 1 cannot be shared by 5 heads/],
  [{ ...restormer, outputChannels: 4 }, /4 outputChannels are added to an image of 3/],
  [{ ...unet, levels: 7 }, /an image of 64x64 cannot be halved 7 times/],
  [{ ...unet, outputChannels: 2 }, /2 outputChannels are added to an image of 3/],
])("a configuration that does not hold together is refused: %j", (configuration, sentence) => {
  expect(() => declare(configuration)).toThrow(sentence);
});
