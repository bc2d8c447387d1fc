import { expect, it } from "vitest";
import { deepfool, fmn, pgd } from "../../methods/attacks/catalogue/index.js";
import type { Attack } from "../../methods/attacks/definition.js";
import type { AttackPlan } from "./plan.js";
import type { AttackRecord } from "./run-attack.js";
import { accuracyCurve, curveCsv, smallestOver } from "./smallest.js";

const plan = (attack: Attack) => ({ attack }) as unknown as AttackPlan;
/** Wrong already, never broken, and broken at some radii. */
const records = [0, undefined, 3 / 255, 1 / 255, 6 / 255].map(
  (radius, index) =>
    ({ index, sample: `s${index}`, scores: {}, found: radius === undefined ? {} : { radius } }) as unknown as AttackRecord,
);
const failed = { index: 5, sample: "s5", error: "cannot be read" } as AttackRecord;

it("median over what was right, what never broke as infinite, and the share that holds at radii of the literature", () => {
  const { smallest } = smallestOver(plan(fmn() as Attack), [...records, failed]);
  expect(smallest).toMatchObject({ norm: "l_inf", right: 4, unbroken: 1 });
  expect(smallest!.median).toBeCloseTo(4.5 / 255, 12);
  expect(smallest!.accuracy.map(({ epsilon, share }) => [Math.round(epsilon * 255), share])).toEqual([
    [1, 0.6],
    [2, 0.6],
    [4, 0.4],
    [8, 0.2],
    [16, 0.2],
  ]);
});

it("an epsilon ends the list of radii; fewer than half broken have no median; nothing to say of other attacks, and of no sample", () => {
  const within = smallestOver(plan(deepfool({ epsilon: 0.75 }) as Attack), records.slice(0, 2)).smallest!;
  expect(within).toMatchObject({ norm: "l_2", right: 1, unbroken: 1, median: null });
  expect(within.accuracy.map((p) => p.epsilon)).toEqual([0.25, 0.5, 0.75]);
  expect(smallestOver(plan(pgd() as Attack), records)).toEqual({});
  expect(smallestOver(plan(fmn() as Attack), []).smallest).toMatchObject({ right: 0, median: null });
});

it("the curve has a point for each radius, from 0 on", () => {
  const points = accuracyCurve(records);
  expect(points.map((p) => Math.round(p.epsilon * 255))).toEqual([0, 1, 3, 6]);
  expect(points.map((p) => p.share)).toEqual([0.8, 0.6, 0.4, 0.2]);
  expect(curveCsv(points).split("\n").slice(0, 2)).toEqual(["epsilon,share that holds", "0,0.8"]);
});
