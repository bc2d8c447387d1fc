import { clip, defineCorruption, drawnPlane } from "../corruption.js";
import { cannyEdges } from "../parts/canny.js";
import { distanceToEdges } from "../parts/distance.js";
import { correlate, gaussian } from "../parts/filter.js";

/** Drops on the lens: smoothed noise above a threshold is where they are; water (pale turquoise, shaded towards its rims) up to 3, mud from 4 on. */
export const spatter = defineCorruption({
  name: "spatter",
  family: "extra",
  summary: "drops of water or mud on the lens",
  strengths: [
    { mean: 0.65, deviation: 0.3, sigma: 4, threshold: 0.69, amount: 0.6, of: "water" },
    { mean: 0.65, deviation: 0.3, sigma: 3, threshold: 0.68, amount: 0.6, of: "water" },
    { mean: 0.65, deviation: 0.3, sigma: 2, threshold: 0.68, amount: 0.5, of: "water" },
    { mean: 0.65, deviation: 0.3, sigma: 1, threshold: 0.65, amount: 1.5, of: "mud" },
    { mean: 0.67, deviation: 0.4, sigma: 1, threshold: 0.65, amount: 1.5, of: "mud" },
  ],
  apply: (picture, { mean, deviation, sigma, threshold, amount, of }, random) => {
    const { height, width, planes } = picture;
    const noise = drawnPlane(height, width, () => random.normal(mean, deviation));
    const liquid = gaussian(noise, height, width, sigma).map((v) => (v < threshold ? 0 : v));
    if (of === "water") {
      const shade = waterShade(liquid, height, width);
      return withColor((v, color, i) => v + amount * shade[i]! * color, [175, 238, 238]);
    }
    const cover = gaussian(
      liquid.map((v) => (v > threshold ? 1 : 0)),
      height,
      width,
      amount,
    ).map((v) => (v < 0.8 ? 0 : v));
    return withColor((v, color, i) => v * (1 - cover[i]!) + cover[i]! * color, [63, 42, 20]);

    function withColor(pixel: (v: number, color: number, i: number) => number, rgb: readonly number[]) {
      return { ...picture, planes: planes.map((plane, c) => plane.map((v, i) => pixel(v, rgb[c]! / 255, i))) };
    }
  },
});

/** How bright the water is, 1 at most: its height times the distance from the nearest edge, equalized, seen from the upper left; in 8 bits, as the reference. */
function waterShade(liquid: Float32Array, height: number, width: number): Float32Array {
  const level = liquid.map((v) => Math.floor(clip(v) * 255));
  const near = distanceToEdges(cannyEdges(level, height, width, 50, 150), height, width).map((v) => Math.min(v, 20));
  const mean = new Float64Array(9).fill(1 / 9);
  const even = equalized(correlate(near, height, width, mean).map((v) => Math.floor(v + 1e-4)));
  const relief = correlate(even, height, width, Float64Array.of(-2, -1, 0, -1, 1, 1, 0, 1, 2)).map((v) =>
    clip(Math.round(v), 0, 255),
  );
  const soft = correlate(relief, height, width, mean).map((v) => Math.round(v));
  const shade = level.map((v, i) => v * soft[i]!);
  const most = shade.reduce((a, b) => Math.max(a, b), 0);
  return most === 0 ? shade : shade.map((v) => v / most);
}

/** Levels from 0 to 255 that are used alike often, the lowest becoming 0 (as OpenCV's equalizeHist). */
function equalized(levels: Float32Array): Float32Array {
  const counts = new Float64Array(256);
  for (const v of levels) counts[v]!++;
  const lowest = counts.findIndex((n) => n > 0);
  const others = levels.length - counts[lowest]!;
  if (others === 0) return levels;
  let sum = 0;
  const mapped = counts.map((n, level) => {
    if (level <= lowest) return 0;
    sum += n;
    return Math.round((sum * 255) / others);
  });
  return levels.map((v) => mapped[v]!);
}
