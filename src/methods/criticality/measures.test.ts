import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { changeMeasures, classMeasures, measureModel } from "./measures.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => engine.dispose());

const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY];

/** Sums by name and sample. */
async function measured(
  kind: "classes" | "continuous",
  shape: readonly number[],
  intact: number[],
  reset: number[],
  weight: number[],
) {
  const program = await engine.compile(measureModel(kind, shape));
  const { sums } = await program.run({
    intact: tensor("float32", shape, intact),
    reset: tensor("float32", shape, reset),
    weight: tensor("float32", [shape[0]!, ...shape.slice(2)], weight),
    ...(kind === "classes" && {
      labels: tensor(
        "int64",
        [shape[0]!, ...shape.slice(2)],
        weight.map(() => 0),
      ),
    }),
  });
  program.dispose();
  const values = Array.from(sums!.data as Float32Array);
  const names = kind === "classes" ? classMeasures : changeMeasures;
  return Object.fromEntries(names.map((name, m) => [name, values.slice(m * shape[0]!, (m + 1) * shape[0]!)]));
}

describe("measures of a reset that leaves no numbers", () => {
  it("over classes: lost, and finite", async () => {
    const intact = [3, 0, 3, 0, 3, 0, 3, 0];
    const { distance, l1, l2, kl, flips, correct } = await measured(
      "classes",
      [4, 2],
      intact,
      [nan, nan, infinity, 0, 3, 0, 1e38, -1e38],
      [1, 1, 1, 1],
    );
    expect(distance!.slice(0, 3)).toEqual([1, 1, 0]);
    expect(l1!.slice(0, 3)).toEqual([2, 2, 0]);
    expect(l2!.slice(0, 3)).toEqual([Math.fround(Math.SQRT2), Math.fround(Math.SQRT2), 0]);
    expect(flips).toEqual([1, 1, 0, 0]);
    expect(correct).toEqual([0, 0, 1, 1]);
    expect(kl!.every(Number.isFinite)).toBe(true);
  });

  it("continuous: lost, and finite; pixels that do not count may be anything", async () => {
    const intact = [1, 2, 1, 2, 1, 2, 1, 2];
    const reset = [nan, 2, 1e30, 2, 1, 2, 1, nan];
    const { distance, l1, l2 } = await measured("continuous", [4, 1, 1, 2], intact, reset, [1, 1, 1, 1, 1, 1, 1, 0]);
    // per pixel, so 2 for images of two pixels
    expect(distance).toEqual([2, 2, 0, 0]);
    for (const values of [l1!, l2!]) {
      expect(values[0]).toBeCloseTo(1e30, -24);
      expect(values.slice(2)).toEqual([0, 0]);
      expect(values.every(Number.isFinite)).toBe(true);
    }
  });
});
