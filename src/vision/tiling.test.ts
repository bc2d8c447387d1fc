import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkTiling, tileCount, tileSpans, usualOverlap } from "./tiling.js";

const axes = fc
  .record({ length: fc.integer({ min: 1, max: 300 }), tile: fc.integer({ min: 1, max: 64 }) })
  .chain(({ length, tile }) => fc.record({ length: fc.constant(length), tile: fc.constant(tile), overlap: fc.nat(tile - 1) }));

describe("tiles along an axis", () => {
  it("have cores that partition it, with context on every inner side", () => {
    fc.assert(
      fc.property(axes, ({ length, tile, overlap }) => {
        const spans = tileSpans(length, tile, overlap);
        expect(spans[0]!.from).toBe(0);
        expect(spans.at(-1)!.to).toBe(length);
        for (const [i, { start, from, to }] of spans.entries()) {
          expect(to).toBeGreaterThan(from);
          expect(from).toBeGreaterThanOrEqual(start);
          expect(to).toBeLessThanOrEqual(start + tile);
          if (length >= tile) expect(start + tile).toBeLessThanOrEqual(length);
          if (i === 0) continue;
          expect(from).toBe(spans[i - 1]!.to);
          expect(start).toBeGreaterThan(spans[i - 1]!.start);
          expect(spans[i - 1]!.start + tile - start).toBeGreaterThanOrEqual(overlap);
          const context = Math.floor(overlap / 2);
          expect(from - start).toBeGreaterThanOrEqual(context);
          expect(spans[i - 1]!.start + tile - spans[i - 1]!.to).toBeGreaterThanOrEqual(context);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("are as few as the overlap allows", () => {
    expect(tileSpans(12, 12, 4)).toEqual([{ start: 0, from: 0, to: 12 }]);
    expect(tileSpans(5, 12, 4)).toEqual([{ start: 0, from: 0, to: 5 }]);
    expect(tileSpans(13, 12, 4).map((s) => s.start)).toEqual([0, 1]);
    expect(tileSpans(28, 12, 4).map((s) => s.start)).toEqual([0, 8, 16]);
    expect(tileSpans(24, 12, 0)).toEqual([
      { start: 0, from: 0, to: 12 },
      { start: 12, from: 12, to: 24 },
    ]);
    expect(tileCount({ height: 1024, width: 2048 }, { height: 512, width: 512, overlap: 128 })).toBe(15);
    expect(usualOverlap({ height: 12, width: 14 })).toBe(3);
  });
});

describe("a tiling that does not suit", () => {
  const any = { rule: "any" } as const;
  it.each([
    ["no pixels", any, { height: 0 }, /hold no pixel/],
    ["another fixed size", { rule: "fixed", height: 16, width: 32 }, {}, /takes 16x32 only/],
    ["no multiple", { rule: "multiple", of: 32 }, {}, /multiples of 32/],
    ["an overlap of a whole side", any, { overlap: 16 }, /cannot overlap by 16/],
    ["a negative overlap", any, { overlap: -1 }, /cannot overlap by -1/],
  ] as const)("%s", (_, size, changes, sentence) => {
    expect(() => checkTiling({ height: 16, width: 24, overlap: 4, ...changes }, size)).toThrow(sentence);
  });

  it("is told from one that does", () => {
    expect(() => checkTiling({ height: 16, width: 24, overlap: 15 }, { rule: "multiple", of: 8 })).not.toThrow();
  });
});
