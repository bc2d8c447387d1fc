import type { Random } from "../../../engine/tensor/random.js";
import { type Corruption, defineCorruption, type Picture } from "../corruption.js";
import { within } from "../parts/border.js";

interface FrostStrength {
  readonly picture: number;
  readonly frost: number;
}

/** Strengths of frost in ImageNet-C: what is left of the picture, and how much of the frost is added. */
export const frostStrengths: Corruption<FrostStrength>["strengths"] = [
  { picture: 1, frost: 0.4 },
  { picture: 0.8, frost: 0.6 },
  { picture: 0.7, frost: 0.7 },
  { picture: 0.65, frost: 0.7 },
  { picture: 0.6, frost: 0.75 },
];

/**
 * A photograph of frosted glass that is laid over the picture: one of those given, enlarged to cover it and by a tenth more, at a place that is drawn. The
 * reference has six such photographs with it, of which it draws the first five.
 */
export const frost = defineCorruption({
  name: "frost",
  family: "weather",
  summary: "frost on the lens, from photographs of frost",
  strengths: frostStrengths,
  overlays: "pictures",
  apply: (picture, strength, random, overlays) => {
    const photograph = overlays[random.integer(overlays.length)]!;
    return blended(picture, cutOut(photograph, picture, random), strength);
  },
});

/** The two added up, each with its share. */
export const blended = (picture: Picture, over: Picture, strength: FrostStrength): Picture => ({
  ...picture,
  planes: picture.planes.map((plane, c) => plane.map((v, i) => strength.picture * v + strength.frost * over.planes[c]![i]!)),
});

/** A part of a photograph as large as the picture. */
function cutOut(photograph: Picture, { height, width }: Pick<Picture, "height" | "width">, random: Random): Picture {
  const scale = 1.1 * Math.max(1, height / photograph.height, width / photograph.width);
  const [tall, wide] = [Math.ceil(photograph.height * scale), Math.ceil(photograph.width * scale)];
  const [top, left] = [random.integer(Math.max(1, tall - height)), random.integer(Math.max(1, wide - width))];
  const rows = taps(height, top, photograph.height / tall, photograph.height);
  const columns = taps(width, left, photograph.width / wide, photograph.width);
  const planes = photograph.planes.map((plane) => {
    const part = new Float32Array(height * width);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (const row of rows[y]!)
          for (const column of columns[x]!)
            sum += row.weight * column.weight * plane[row.index * photograph.width + column.index]!;
        part[y * width + x] = Math.min(1, Math.max(0, sum));
      }
    return part;
  });
  return { height, width, planes };
}

/** The four samples that each of `count` places lies between, with the weights of Keys' cubic (a = -0.75, as OpenCV has it). */
function taps(count: number, start: number, step: number, length: number) {
  const cubic = (t: number) => {
    const x = Math.abs(t);
    if (x >= 2) return 0;
    return x <= 1 ? (1.25 * x - 2.25) * x * x + 1 : -0.75 * (((x - 5) * x + 8) * x - 4);
  };
  return Array.from({ length: count }, (_, i) => {
    const at = (start + i + 0.5) * step - 0.5;
    const first = Math.floor(at) - 1;
    return [0, 1, 2, 3].map((k) => ({ index: within(first + k, length, "edge"), weight: cubic(at - first - k) }));
  });
}
