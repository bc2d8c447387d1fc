import type { Random } from "../../../engine/tensor/random.js";

/**
 * A cloudy map by the diamond-square algorithm on a torus: midpoints are the mean of four neighbors plus noise of amplitude w², and w falls by a factor with
 * each halving. Values fill [0, 1].
 *
 * @param side a power of two.
 * @param decay 1.4 is rough, 2 is smooth.
 */
export function plasma(side: number, decay: number, random: Random): Float64Array {
  const map = new Float64Array(side * side);
  let amplitude = 100;
  const at = (y: number, x: number) => map[((y + side) % side) * side + ((x + side) % side)]!;
  const noise = () => amplitude * random.uniform(-amplitude, amplitude);
  for (let step = side; step >= 2; step /= 2) {
    const half = step / 2;
    for (let y = half; y < side; y += step)
      for (let x = half; x < side; x += step) {
        const corners = at(y - half, x - half) + at(y + half, x - half) + at(y - half, x + half) + at(y + half, x + half);
        map[y * side + x] = corners / 4 + noise();
      }
    // Centers of the edges: between two corners and two of the middles above.
    for (const [y0, x0] of [
      [0, half],
      [half, 0],
    ] as const)
      for (let y = y0; y < side; y += step)
        for (let x = x0; x < side; x += step) {
          const around = at(y - half, x) + at(y + half, x) + at(y, x - half) + at(y, x + half);
          map[y * side + x] = around / 4 + noise();
        }
    amplitude /= decay;
  }
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of map) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const range = high - low;
  return map.map((v) => (range > 0 ? (v - low) / range : 0));
}
