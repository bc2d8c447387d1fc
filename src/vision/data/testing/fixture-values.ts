/** The values in fixtures/data, as tools/make-data-fixtures.ts writes them and the tests expect them. */
export const width = 6;
export const height = 4;

/** The 8-bit value of channel c (R, G, B) of picture `salt`. */
export function pictureValue(x: number, y: number, c: number, salt: number): number {
  return (40 * x + 11 * y + 83 * c + 29 * salt) % 256;
}

/** Multiples of 1/64 pixel, which KITTI's files hold exactly. */
export function flowAt(x: number, y: number): readonly [u: number, v: number] {
  return [x - 2.5 + y / 64, 0.25 * y - 1 - x / 64];
}

/** Multiples of 1/256 pixel, which KITTI's files hold exactly. */
export function disparityAt(x: number, y: number): number {
  return 3 + x + y / 256;
}

/** Where KITTI's and Sintel's truth is known. */
export function isKnown(x: number, y: number): boolean {
  return (x + y) % 5 !== 0;
}
