/** What becomes of pictures that hold more, or something else, than three channels of color. */
import type { Tensor } from "../../engine/tensor/tensor.js";

/** A conversion by what the file held. */
export type Conversion = keyof typeof conversions;

/** What is done, for a sentence that begins with the number of pictures. */
export const conversions = {
  transparency: "with transparency, laid over white",
  cmyk: "in CMYK, turned into RGB without their color profile",
  "16-bit": "of 16 bits a channel",
  frames: "with several frames or pages, of which the first is taken",
} as const;

export const conversionNames = Object.keys(conversions) as [Conversion, ...Conversion[]];

const made = new WeakMap<Tensor, readonly Conversion[]>();

/** The image, about which is known from now on how it came about. */
export function converted(image: Tensor<"float32">, by: readonly Conversion[]): Tensor<"float32"> {
  if (by.length > 0) made.set(image, by);
  return image;
}

/**
 * What was done to an image as it was read; nothing where the file held 8-bit gray or RGB.
 *
 * @example conversionsOf(await readImage("logo.png")) // ["transparency"]
 */
export const conversionsOf = (image: Tensor): readonly Conversion[] => made.get(image) ?? [];

/**
 * In words: "2 pictures with transparency, laid over white; 1 of 16 bits a channel, rounded to 8".
 *
 * @param counts how many pictures. @param depth what the reader makes of 16 bits.
 */
export function conversionText(
  counts: Readonly<Partial<Record<Conversion, number>>>,
  depth: "rounded to 8" | "read in full",
): string {
  return conversionNames
    .flatMap((name) => {
      const count = counts[name];
      return count ? [`${count} ${conversions[name]}${name === "16-bit" ? `, ${depth}` : ""}`] : [];
    })
    .join("; ");
}

/** How many pictures went through each conversion, of the conversions of each. */
export function countConversions(all: readonly (readonly Conversion[])[]): Partial<Record<Conversion, number>> {
  const counts: Partial<Record<Conversion, number>> = {};
  for (const name of conversionNames) {
    const count = all.filter((of) => of.includes(name)).length;
    if (count > 0) counts[name] = count;
  }
  return counts;
}
