import { expect, it } from "vitest";
import type { PlaceSpectrum } from "../../methods/spectrum/index.js";
import { paired } from "./pairs.js";

const place = (node: string, direction: "down" | "up", before: number[], after: number[]): PlaceSpectrum => ({
  ...{ node, direction, before, after, form: "", factor: [2, 2] as const },
  ...{ share: 0, shareWithoutMean: 0, channels: [], radialBefore: [], radialAfter: [] },
});

it("pairs layers by name, then by their maps in order, and leaves gaps where a model has none", () => {
  const original = [
    place('Conv "stem"', "down", [3, 8, 8], [4, 4, 4]),
    place("MaxPool", "down", [4, 4, 4], [4, 2, 2]),
    place('Resize "up"', "up", [4, 2, 2], [4, 4, 4]),
  ];
  const made = [
    place('ConvTranspose "up/ConvTranspose"', "up", [4, 2, 2], [4, 4, 4]),
    place('ConvTranspose "up/ConvTranspose_1"', "up", [4, 2, 2], [4, 4, 4]),
  ];
  const other = [place("AveragePool", "down", [4, 4, 4], [4, 2, 2])];
  const rows = paired([original, made, other]).map((row) => row.map((p) => p?.node));
  expect(rows).toEqual([
    ['Conv "stem"', undefined, undefined],
    ["MaxPool", undefined, "AveragePool"],
    ['Resize "up"', 'ConvTranspose "up/ConvTranspose"', undefined],
    [undefined, 'ConvTranspose "up/ConvTranspose_1"', undefined],
  ]);
});
