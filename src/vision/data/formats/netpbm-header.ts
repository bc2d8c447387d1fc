import { DataError } from "../error.js";

interface NetpbmHeader {
  readonly magic: string;
  /** Width, height, and the largest value (PGM, PPM) or the scale (PFM). */
  readonly numbers: readonly [number, number, number];
  /** Where the samples start. */
  readonly offset: number;
}

/**
 * The header that PGM, PPM and PFM share (http://netpbm.sourceforge.net/doc/ppm.html): a magic word and three numbers separated by
 * white space, "#" comments in between, one white-space character before the samples.
 */
export function netpbmHeader(bytes: Uint8Array, format: string, magics: readonly string[]): NetpbmHeader {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  const gap = String.raw`(?:\s+(?:#[^\n]*\n\s*)*)`;
  const match = new RegExp(`^(\\w\\w)${gap}(\\S+)${gap}(\\S+)${gap}(\\S+)\\s`).exec(text);
  const numbers = match?.slice(2).map(Number);
  if (!match || !magics.includes(match[1]!) || !numbers?.every(Number.isFinite)) {
    throw new DataError(
      `This is not a ${format} file: it does not start with ${magics.join(" or ")}, width, height and a number.`,
    );
  }
  return { magic: match[1]!, numbers: numbers as [number, number, number], offset: match[0].length };
}
