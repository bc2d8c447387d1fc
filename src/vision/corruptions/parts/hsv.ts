import { clip, type Picture } from "../corruption.js";

/** A picture with another value (its brightest color), hue and saturation being kept. */
export function withValue(picture: Picture, change: (value: number) => number): Picture {
  return perPixel(picture, (rgb, value) => {
    const next = change(value);
    // Black has no hue: it becomes gray.
    return value === 0 ? [next, next, next] : (rgb.map((v) => (v * next) / value) as [number, number, number]);
  });
}

/** A picture with another saturation, hue and value being kept. A gray pixel has the hue 0, which is red, as everybody's conversions have it. */
export function withSaturation(picture: Picture, change: (saturation: number) => number): Picture {
  return perPixel(picture, (rgb, value) => {
    const least = Math.min(...rgb);
    const saturation = value === 0 ? 0 : (value - least) / value;
    const next = clip(change(saturation));
    if (saturation === 0) return [value, value * (1 - next), value * (1 - next)];
    return rgb.map((v) => value - ((value - v) * next) / saturation) as [number, number, number];
  });
}

function perPixel(
  picture: Picture,
  pixel: (rgb: [number, number, number], value: number) => readonly [number, number, number],
): Picture {
  const [r, g, b] = picture.planes as [Float32Array, Float32Array, Float32Array];
  const planes = picture.planes.map((plane) => new Float32Array(plane.length)) as [Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < r.length; i++) {
    const rgb: [number, number, number] = [r[i]!, g[i]!, b[i]!];
    const changed = pixel(rgb, Math.max(...rgb));
    for (let c = 0; c < 3; c++) planes[c]![i] = changed[c]!;
  }
  return { ...picture, planes };
}
