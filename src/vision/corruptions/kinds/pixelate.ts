import { defineCorruption } from "../corruption.js";

/** Fewer pixels: the mean over boxes, in 8 bits, and each box drawn as large as it was; strengths are the share of each side that is left. */
export const pixelate = defineCorruption({
  name: "pixelate",
  family: "digital",
  summary: "fewer and larger pixels",
  strengths: [0.6, 0.5, 0.4, 0.3, 0.25],
  apply: (picture, share) => {
    const { height, width } = picture;
    // A side keeps one pixel at least, where the reference fails.
    const [tall, wide] = [Math.max(1, Math.floor(height * share)), Math.max(1, Math.floor(width * share))];
    const [rows, columns] = [boxes(height, tall), boxes(width, wide)];
    const [nearestRow, nearestColumn] = [nearest(height, tall), nearest(width, wide)];
    return {
      ...picture,
      planes: picture.planes.map((plane) => {
        const narrow = new Float32Array(height * wide);
        for (let y = 0; y < height; y++)
          for (const [x, { from, to }] of columns.entries()) narrow[y * wide + x] = mean(from, to, (i) => plane[y * width + i]!);
        const small = new Float32Array(tall * wide);
        for (const [y, { from, to }] of rows.entries())
          for (let x = 0; x < wide; x++) small[y * wide + x] = mean(from, to, (i) => narrow[i * wide + x]!);
        return plane.map((_, i) => small[nearestRow[Math.floor(i / width)]! * wide + nearestColumn[i % width]!]!);
      }),
    };
  },
});

/**
 * For each of `count` boxes over `length` pixels, those whose centers lie within it: from, and up to but without to. The arithmetic is Pillow's, whose
 * rounding decides for centers on the border of two boxes.
 */
function boxes(length: number, count: number) {
  const step = length / count;
  return Array.from({ length: count }, (_, i) => {
    const center = (i + 0.5) * step;
    const position = (pixel: number) => (pixel - center + 0.5) * (1 / step);
    let from = Math.max(0, Math.floor(center - 0.5 * step + 0.5));
    let to = Math.min(length, Math.floor(center + 0.5 * step + 0.5));
    while (from < to - 1 && position(from) <= -0.5) from++;
    while (to > from + 1 && position(to - 1) > 0.5) to--;
    return { from, to: Math.max(to, from + 1) };
  });
}

/** For each of `length` pixels the box that its center lies in. Pillow adds up the steps, whose rounding decides for centers on the border of two boxes. */
function nearest(length: number, count: number): number[] {
  const step = count / length;
  let at = step / 2;
  return Array.from({ length }, () => {
    const box = Math.min(count - 1, Math.floor(at));
    at += step;
    return box;
  });
}

/** The mean in whole 255ths. */
function mean(from: number, to: number, at: (i: number) => number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += at(i);
  return Math.round((sum / (to - from)) * 255) / 255;
}
