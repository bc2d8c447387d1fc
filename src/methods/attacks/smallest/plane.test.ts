import fc from "fast-check";
import { expect, it } from "vitest";
import { Random } from "../../../engine/tensor/random.js";
import { lengths } from "../lengths.js";
import { projections } from "./balls.js";
import { type PlaneNorm, towardPlane } from "./plane.js";

const n = 12;
const drawn = fc.record({
  x: fc.array(fc.double({ min: 0, max: 1, noNaN: true }).map(Math.fround), { minLength: n, maxLength: n }),
  w: fc.array(
    fc.integer({ min: -200, max: 200 }).map((v) => Math.fround(v / 100)),
    { minLength: n, maxLength: n },
  ),
  gap: fc.double({ min: -6, max: 6, noNaN: true }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

it.each(["l_inf", "l_2", "l_1"] as const)(
  "%s: on the plane or as near as the box allows, and no point of both is nearer",
  (norm: PlaneNorm) => {
    fc.assert(
      fc.property(drawn, ({ x, w, gap, seed }) => {
        const [image, slope] = [Float32Array.from(x), Float32Array.from(w)];
        const delta = towardPlane(norm, image, slope, gap);
        const gained = (d: ArrayLike<number>) => slope.reduce((s, v, i) => s + v * d[i]!, 0);
        const most = slope.reduce(
          (s, v, i) => s + Math.max(0, Math.sign(gap) * v * (v * gap > 0 ? 1 - image[i]! : -image[i]!)),
          0,
        );
        delta.forEach((d, i) => {
          expect(image[i]! + d).toBeGreaterThanOrEqual(-1e-9);
          expect(image[i]! + d).toBeLessThanOrEqual(1 + 1e-9);
        });
        expect(Math.abs(gained(delta))).toBeCloseTo(Math.min(Math.abs(gap), most), 6);
        // Any other point of plane and box: random ones, brought there entry by entry, are no nearer.
        if (Math.abs(gap) >= most) return;
        const random = new Random(seed, "points");
        for (let k = 0; k < 20; k++) {
          const other = Float64Array.from(delta, (d, i) =>
            Math.min(1 - image[i]!, Math.max(-image[i]!, d + 0.1 * random.uniform(-1, 1))),
          );
          for (let i = 0; i < n; i++) {
            const v = slope[i]!;
            if (Math.abs(v) < 1e-3) continue;
            other[i] = Math.min(1 - image[i]!, Math.max(-image[i]!, other[i]! + (gap - gained(other)) / v));
          }
          if (Math.abs(gained(other) - gap) < 1e-9)
            expect(lengths[norm](other)).toBeGreaterThanOrEqual(lengths[norm](delta) - 1e-9);
        }
      }),
      { numRuns: 100 },
    );
  },
);

it.each(["l_inf", "l_2", "l_1", "l_0"] as const)("%s: into the ball, nearest point, and what lies in it stays", (norm) => {
  fc.assert(
    fc.property(drawn, ({ w, seed }) => {
      const given = Float64Array.from(w);
      const radius = norm === "l_0" ? 1 + (seed % n) : 0.1 + (seed % 100) / 50;
      const inside = given.slice();
      projections[norm](inside, radius);
      expect(lengths[norm](inside)).toBeLessThanOrEqual(radius * (1 + 1e-9));
      const again = inside.slice();
      projections[norm](again, radius);
      again.forEach((v, i) => {
        expect(v).toBeCloseTo(inside[i]!, 9);
      });
      const away = (p: Float64Array) => lengths.l_2(p.map((v, i) => v - given[i]!));
      const random = new Random(seed, "ball");
      for (let k = 0; k < 20; k++) {
        const other = inside.map((v) => v + 0.1 * random.uniform(-1, 1));
        if (lengths[norm](other) <= radius) expect(away(other)).toBeGreaterThanOrEqual(away(inside) - 1e-9);
      }
    }),
    { numRuns: 100 },
  );
});
