import fc from "fast-check";
import { expect, it } from "vitest";
import { Random } from "../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../engine/tensor/tensor.js";
import { addTile, coreMask, cutTile, putCore } from "./tile-pixels.js";
import { tilePlaces } from "./tiling.js";

/** Pictures down to the least that can be mirrored to a tile. */
const cases = fc
  .record({ th: fc.integer({ min: 1, max: 9 }), tw: fc.integer({ min: 1, max: 9 }), seed: fc.nat() })
  .chain(({ th, tw, seed }) =>
    fc.record({
      seed: fc.constant(seed),
      tiling: fc.record({ height: fc.constant(th), width: fc.constant(tw), overlap: fc.nat(Math.min(th, tw) - 1) }),
      height: fc.integer({ min: Math.ceil((th + 1) / 2), max: 25 }),
      width: fc.integer({ min: Math.ceil((tw + 1) / 2), max: 25 }),
    }),
  );

const drawn = (shape: Shape, random: Random): Tensor<"float32"> =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1)),
  );
const dot = (a: Tensor, b: Tensor) => (a.data as Float32Array).reduce((sum, v, i) => sum + v * Number(b.data[i]), 0);

it("cut and put together is the picture itself; its masks cover every pixel once", () => {
  fc.assert(
    fc.property(cases, ({ height, width, tiling, seed }) => {
      const x = drawn([2, 3, height, width], new Random(seed));
      const valid = tensor(
        "float32",
        [2, height, width],
        Float32Array.from({ length: 2 * height * width }, (_, i) => (i % 3 === 0 ? 0 : 1)),
      );
      const [whole, covered, known] = [
        tensor("float32", x.shape),
        tensor("float32", valid.shape),
        tensor("float32", valid.shape),
      ];
      for (const place of tilePlaces({ height, width }, tiling)) {
        putCore(whole, cutTile(x, place, tiling), place);
        addTile(covered, coreMask(2, undefined, place, tiling), place, tiling, 1);
        addTile(known, coreMask(2, valid, place, tiling), place, tiling, 1);
      }
      expect(whole.data).toEqual(x.data);
      expect(covered.data.every((v) => v === 1)).toBe(true);
      expect(known.data).toEqual(valid.data);
    }),
    { numRuns: 150 },
  );
});

it("adding is the adjoint of cutting", () => {
  fc.assert(
    fc.property(cases, ({ height, width, tiling, seed }) => {
      const random = new Random(seed);
      const x = drawn([1, 2, height, width], random);
      for (const place of tilePlaces({ height, width }, tiling)) {
        const g = drawn([1, 2, tiling.height, tiling.width], random);
        const back = tensor("float32", x.shape);
        addTile(back, g, place, tiling, 1);
        expect(dot(back, x)).toBeCloseTo(dot(g, cutTile(x, place, tiling)), 4);
      }
    }),
    { numRuns: 100 },
  );
});

it("labels are cut as they are", () => {
  const labels = tensor(
    "int64",
    [3, 4],
    Array.from({ length: 12 }, (_, i) => i),
  );
  const place = { row: { start: 1, from: 2, to: 3 }, column: { start: 2, from: 2, to: 4 } };
  expect(cutTile(labels, place, { height: 3, width: 2, overlap: 0 }).data).toEqual(BigInt64Array.of(6n, 7n, 10n, 11n, 6n, 7n));
});
