import { describe, expect, it } from "vitest";
import { tasks } from "../../vision/tasks/index.js";
import { scaleNotes, scaleOf } from "./scale.js";

/** Sums of unit vectors of sure predictions. */
const of = (...counts: number[]) => [counts, counts.reduce((a, b) => a + b, 0)] as const;

describe("the scale", () => {
  it("is the constant prediction's criticality where classes vary", () => {
    expect(scaleOf(...of(30, 30), tasks.classification)).toEqual({
      criticality: expect.closeTo(1 - Math.SQRT1_2, 10),
      of: "constant",
    });
    expect(scaleNotes(scaleOf(...of(30, 30), tasks.classification))).toEqual([]);
  });

  it("is that of equally likely classes for images of one class, and says so", () => {
    const scale = scaleOf(...of(1, 0, 0, 0), tasks.classification);
    expect(scale).toEqual({ criticality: 0.5, of: "uniform" });
    expect(scaleNotes(scale)[0]).toMatch(/nearly the same for all of these images/);
  });

  it("stays that of the constant for dense predictions with rare classes, but never vanishes", () => {
    const rare = scaleOf(...of(970, 30), tasks.segmentation);
    expect(rare.of).toBe("constant");
    // a constant misses the 3 % alone
    expect(rare.criticality).toBeCloseTo(0.03, 2);
    expect(scaleNotes(rare)[0]).toMatch(/rarer classes/);
    expect(scaleOf(...of(1000, 0), tasks.segmentation).criticality).toBe(0.005);
  });
});
