import type { Random } from "../../../engine/tensor/random.js";

/** Red, green and blue as linear light in [0, 1]. */
export type Color = readonly [red: number, green: number, blue: number];

/** Stored value = light^(1 / 2.2): the curve with which GoPro's `blur_gamma` pictures were made. */
export const gamma = 2.2;

export interface Palette {
  /** From top to bottom. */
  readonly background: readonly [Color, Color, Color];
  readonly objects: readonly Color[];
}

const named = {
  harbour: ["0f3b4c 1f6f78 7fb7be", "f2b134 ed553b f6f5ec 173f5f e8a598"],
  desert: ["f3e3c3 e3b98a c98a5e", "3b6064 c8553d 588b8b f28f3b 2d3142"],
  night: ["14142b 2e2a5b 5b4b8a", "f9c80e f86624 ea3546 43bccd efe9f4"],
  meadow: ["dde8c0 a3c585 5e8c5a", "f4f1de e07a5f 3d405b f2cc8f 81306b"],
  candy: ["fbe3e8 f4b6c2 d98ba5", "5c80bc ffd166 06a77d 2e294e f25f5c"],
  nordic: ["e9ecef b8c4ce 7c8fa3", "d62828 003049 f77f00 eae2b7 2a9d8f"],
  plum: ["2b193d 4c2a59 89608e", "f1d302 c1292e f5f0f6 3fa7d6 59cd90"],
  clay: ["c7b8a3 9c7f63 6b4f3a", "f7ede2 84a59d f28482 28536b f6bd60"],
} as const;

const palettes = Object.values(named).map(([background, objects]): Palette => {
  const [top, middle, bottom] = background.split(" ").map(colorOf);
  return { background: [top!, middle!, bottom!], objects: objects.split(" ").map(colorOf) };
});

export function randomPalette(random: Random): Palette {
  return palettes[random.integer(palettes.length)]!;
}

export function mix(a: Color, b: Color, share: number): Color {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

function colorOf(hex: string): Color {
  const value = Number.parseInt(hex, 16);
  const light = (shift: number) => (((value >> shift) & 255) / 255) ** gamma;
  return [light(16), light(8), light(0)];
}
