/** Red, green and blue as stored values in [0, 1]. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** #rrggbb */
export const hex = (color: Rgb): string =>
  `#${color
    .map((v) =>
      Math.round(255 * Math.min(1, Math.max(0, v)))
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;

// Björn Ottosson's Oklab (2020): equal steps look equally large, so no class shouts louder than another.
function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const [a, b] = [chroma * Math.cos(hue), chroma * Math.sin(hue)];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const stored = (v: number) => Math.min(1, Math.max(0, v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));
  return [
    stored(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    stored(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    stored(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** A color for each class: hues a golden angle apart, in three lightnesses, so that neighbors in number differ most. */
export function classColor(label: number): Rgb {
  const golden = Math.PI * (3 - Math.sqrt(5));
  return oklch([0.72, 0.64, 0.82][label % 3]!, 0.19, -1.75 + label * golden);
}

/**
 * Viridis (Smith & van der Walt 2015): from dark violet over green to yellow, even to the eye and to the color-blind. As the polynomial of
 * degree six that Matt Zucker fitted to it; the error is below one in a hundred.
 *
 * @param t in [0, 1]; others are clamped.
 */
export function viridis(t: number): Rgb {
  const x = Math.min(1, Math.max(0, t));
  const at = (c: readonly number[]) =>
    Math.min(
      1,
      Math.max(
        0,
        c.reduceRight((sum, k) => sum * x + k, 0),
      ),
    );
  return [at(viridisRed), at(viridisGreen), at(viridisBlue)];
}

const viridisRed = [0.2777273272, 0.1050930431, -0.3308618287, -4.634230499, 6.2282699363, 4.7763849977, -5.4354558559];
const viridisGreen = [0.0054073445, 1.4046135299, 0.2148475595, -5.7991009734, 14.1799333668, -13.7451453777, 4.6458526122];
const viridisBlue = [0.3340998053, 1.3845901626, 0.095095163, -19.3324409563, 56.690552601, -65.3530326334, 26.3124352496];
