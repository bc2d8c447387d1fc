import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { classColor, type Rgb } from "./color.js";

/** One class of a legend. */
export interface LegendEntry {
  readonly label: number;
  /** Absent: left as the picture is. */
  readonly color: Rgb | undefined;
  /** Share of the pixels. */
  readonly share: number;
}

/**
 * Color of a class; where there are two, the first is the background and stays as the picture is. Labels that are no class (ignored
 * pixels) have none either.
 */
export function colorOfClass(label: number, classes: number): Rgb | undefined {
  return label < 0 || label >= classes || (classes === 2 && label === 0) ? undefined : classColor(label);
}

/**
 * Labels laid over a picture: colored areas with a firm edge, the picture in gray below them.
 *
 * @param labels [H, W]
 * @param image float32 [3, H, W] in [0, 1]
 * @returns float32 [3, H, W] in [0, 1]
 */
export function renderSegmentation(labels: Tensor, image: Tensor<"float32">, classes: number): Tensor<"float32"> {
  const [height, width] = labels.shape as [number, number];
  const area = height * width;
  const at = (i: number) => Number(labels.data[i]!);
  const out = tensor("float32", [3, height, width]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const gray = 0.299 * image.data[i]! + 0.587 * image.data[area + i]! + 0.114 * image.data[2 * area + i]!;
      const color = colorOfClass(at(i), classes);
      const edge =
        (x + 1 < width && at(i) !== at(i + 1)) || (y + 1 < height && at(i) !== at(i + width)) || (x > 0 && at(i) !== at(i - 1));
      const cover = color === undefined ? 0 : edge ? 1 : 0.72;
      // A pale ground, so that colors stand out alike on dark and bright pictures.
      const ground = 0.25 + 0.7 * gray;
      for (let c = 0; c < 3; c++) out.data[c * area + i] = cover * (color?.[c] ?? 0) + (1 - cover) * ground;
    }
  }
  return out;
}

/** The classes that occur in the label maps, the most frequent first; `share` is over all of them together. */
export function segmentationLegend(maps: readonly Tensor[], classes: number): LegendEntry[] {
  const counts = new Map<number, number>();
  let total = 0;
  for (const { data } of maps) {
    total += data.length;
    for (const v of data) counts.set(Number(v), (counts.get(Number(v)) ?? 0) + 1);
  }
  return [...counts]
    .filter(([label]) => label >= 0 && label < classes)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .map(([label, n]) => ({ label, color: colorOfClass(label, classes), share: n / total }));
}
