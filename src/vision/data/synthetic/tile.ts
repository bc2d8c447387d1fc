/**
 * A layer's surface, painted once for each scene: color and signed distance at every texel of a grid, one texel a pixel at scale 1.
 * Rendering only interpolates it bilinearly, so the surface is one fixed function of the layer's own coordinates whatever its motion.
 */
import type { Random } from "../../../engine/tensor/random.js";
import { smoothStep, valueNoise } from "./noise.js";
import { type Color, mix, type Palette } from "./palette.js";
import { type ShapeKind, signedDistance } from "./shapes.js";
import { randomTexture, textures } from "./textures.js";

export interface Tile {
  readonly width: number;
  readonly height: number;
  /** Where the layer's own origin lies, in texels. */
  readonly originX: number;
  readonly originY: number;
  /** Red, green, blue (linear light) and signed distance in pixels, interleaved. */
  readonly texels: Float32Array;
}

/** Where the light comes from: above left, as in drawings; y points down. */
const light = { x: -0.6, y: -0.8 };

/** An object of the given radius in pixels; `margin` texels around it still know their distance (for shadows). */
export function paintObject(random: Random, kind: ShapeKind, radius: number, margin: number, base: Color, accent: Color): Tile {
  const distance = signedDistance(kind);
  const texture = randomTexture(random, radius);
  const fibre = valueNoise(random, 1.7);
  const half = Math.ceil(radius * 1.08 + margin);
  const side = 2 * half + 1;
  const texels = new Float32Array(4 * side * side);
  for (let y = -half, at = 3; y <= half; y++) {
    for (let x = -half; x <= half; x++, at += 4) texels[at] = distance(x / radius, y / radius) * radius;
  }
  const bevel = Math.max(2, radius * 0.22);
  const contrast = random.uniform(0.55, 1);
  for (let y = -half, at = 0; y <= half; y++) {
    for (let x = -half; x <= half; x++, at += 4) {
      const depth = -texels[at + 3]!;
      if (depth < -2) continue;
      // The rim slopes along the distance's gradient; a slope that faces the light is brighter.
      const slope = 1 - smoothStep(0, bevel, depth);
      const left = texels[at - 1]!;
      const right = texels[at + 7] ?? left;
      const above = texels[at + 3 - 4 * side] ?? 0;
      const below = texels[at + 3 + 4 * side] ?? above;
      const facing = 0.5 * ((right - left) * light.x + (below - above) * light.y);
      const dome = (x * light.x + y * light.y) / radius;
      const shade = (1 + 0.5 * slope * facing + 0.22 * dome) * (0.93 + 0.14 * fibre(x, y));
      paint(texels, at, mix(base, accent, contrast * texture(x, y)), shade);
    }
  }
  return { width: side, height: side, originX: half, originY: half, texels };
}

/** A backdrop for a picture of the given size, with `margin` more on each side; its origin is the picture's top left corner. */
export function paintBackground(random: Random, palette: Palette, width: number, height: number, margin: number): Tile {
  const size = Math.min(width, height) / 2;
  const [top, middle, bottom] = palette.background;
  const clouds = textures.clouds(random, 1.6 * size);
  const pattern = randomTexture(random, random.uniform(0.35, 0.9) * size);
  const strength = random.uniform(0.12, 0.3);
  const fibre = valueNoise(random, 1.7);
  const [columns, rows] = [width + 2 * margin, height + 2 * margin];
  const texels = new Float32Array(4 * columns * rows);
  for (let y = -margin, at = 0; y < height + margin; y++) {
    const down = y / height;
    for (let x = -margin; x < width + margin; x++, at += 4) {
      const place = Math.min(1, Math.max(0, down + 0.35 * (clouds(x, y) - 0.5)));
      const color = place < 0.5 ? mix(top, middle, 2 * place) : mix(middle, bottom, 2 * place - 1);
      const lit = 1.08 - 0.16 * (x / width);
      paint(texels, at, color, lit * (1 - strength + 2 * strength * pattern(x, y)) * (0.93 + 0.14 * fibre(x, y)));
      texels[at + 3] = -1e3;
    }
  }
  return { width: columns, height: rows, originX: margin, originY: margin, texels };
}

function paint(texels: Float32Array, at: number, color: Color, shade: number): void {
  for (let c = 0; c < 3; c++) texels[at + c] = Math.min(1, Math.max(0, color[c]! * shade));
}
