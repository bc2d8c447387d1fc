/**
 * The middle of a plane enlarged by a factor, cut to the plane's own size at its upper left. The enlargement is linear, the corners of the part lying on
 * the corners of the result, as scipy's `zoom` of order 1 has it.
 */
export function zoomed(plane: Float32Array, height: number, width: number, factor: number): Float32Array {
  const rows = samples(height, factor);
  const columns = samples(width, factor);
  const line = new Float64Array(width);
  const result = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) {
    const { low, high, share, light } = rows[y]!;
    for (let x = 0; x < width; x++) line[x] = (1 - share) * plane[low * width + x]! + share * plane[high * width + x]!;
    for (let x = 0; x < width; x++) {
      const column = columns[x]!;
      const value = (1 - column.share) * line[column.low]! + column.share * line[column.high]!;
      result[y * width + x] = light * column.light * value;
    }
  }
  return result;
}

function samples(length: number, factor: number) {
  const part = Math.ceil(length / factor);
  const start = Math.floor((length - part) / 2);
  const enlarged = nearestEven(part * factor);
  const step = enlarged > 1 ? (part - 1) / (enlarged - 1) : 0;
  return Array.from({ length }, (_, i) => {
    const at = i * step;
    const low = Math.min(Math.floor(at), part - 1);
    // At a few sizes the last place comes to lie behind the last pixel, by rounding. scipy takes it for outside, which is black, and so do the published numbers.
    const light = at > part - 1 ? 0 : 1;
    return { low: start + low, high: start + Math.min(low + 1, part - 1), share: at - low, light };
  });
}

/** The nearest whole number; of two that are as near, the even one, as Python rounds. */
function nearestEven(v: number): number {
  const rounded = Math.round(v);
  return rounded - v === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
