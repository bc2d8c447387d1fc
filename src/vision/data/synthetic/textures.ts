/** Procedural patterns: fields in [0, 1] that a tile colors. Edges are a texel soft, so that sub-pixel motion does not flicker. */
import type { Random } from "../../../engine/tensor/random.js";
import { type Field, fractalNoise, smoothStep, valueNoise } from "./noise.js";

/** `size` is the length, in pixels, that the pattern should look right at: a radius for an object, half the short side for a background. */
export type Texture = (random: Random, size: number) => Field;

/** 1 within half a period of the period's middle, soft over one pixel on either side. */
function wave(position: number, period: number, share = 0.5): number {
  const phase = Math.abs(position / period - Math.floor(position / period) - 0.5) * period;
  return 1 - smoothStep((share * period) / 2 - 0.8, (share * period) / 2 + 0.8, phase);
}

function rotated(random: Random, field: Field): Field {
  const angle = random.uniform(0, Math.PI);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return (x, y) => field(cos * x + sin * y, cos * y - sin * x);
}

const period = (random: Random, size: number) => Math.max(5, size * random.uniform(0.28, 0.5));

export const textures = {
  clouds: (random, size) => {
    const noise = fractalNoise(random, Math.max(4, size * 0.6), 3);
    return (x, y) => smoothStep(0.25, 0.75, noise(x, y));
  },
  stripes: (random, size) => {
    const step = period(random, size);
    const bend = valueNoise(random, size);
    const strength = random.uniform(0, 0.35) * size;
    return rotated(random, (x, y) => wave(x + strength * bend(x, y), step, 0.5));
  },
  checker: (random, size) => {
    const step = 1.6 * period(random, size);
    return rotated(random, (x, y) => {
      const a = wave(x, step);
      const b = wave(y, step);
      return a + b - 2 * a * b;
    });
  },
  gradient: (random, size) => rotated(random, (x) => smoothStep(-size, size, x)),
  dots: (random, size) => {
    const step = period(random, size);
    const radius = step * random.uniform(0.24, 0.34);
    return rotated(random, (x, y) => {
      const row = Math.floor(y / step);
      const shifted = x + (row & 1 ? step / 2 : 0);
      const dx = shifted - (Math.floor(shifted / step) + 0.5) * step;
      const dy = y - (row + 0.5) * step;
      return 1 - smoothStep(radius - 0.8, radius + 0.8, Math.sqrt(dx * dx + dy * dy));
    });
  },
  grain: (random, size) => {
    // Wood: rings around a far center, bent by noise.
    const bend = valueNoise(random, size * 0.8);
    const step = Math.max(4, size * 0.22);
    return rotated(random, (x, y) => {
      const radius = Math.sqrt((x + 2 * size) ** 2 + 0.1 * y * y) + 0.5 * size * bend(x, 0.4 * y);
      const phase = radius / step - Math.floor(radius / step);
      return smoothStep(0, 0.8, phase) * (1 - smoothStep(0.85, 1, phase));
    });
  },
} as const satisfies Record<string, Texture>;

const choices = Object.values<Texture>(textures);

export function randomTexture(random: Random, size: number): Field {
  return choices[random.integer(choices.length)]!(random, size);
}
