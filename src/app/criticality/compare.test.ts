import { describe, expect, it } from "vitest";
import { foldedAdvice } from "../../methods/criticality/folded.js";
import { layerProfile, profileOf } from "../../methods/criticality/profile.js";
import { comparisonOf, verdict } from "./compare.js";
import type { CriticalityResult } from "./result.js";

/** Layers a.0, a.1 and b.0 with these criticalities in each trial. */
function run(name: string, trials: readonly (readonly number[])[], notes: readonly string[] = []) {
  const layers = ["a.0", "a.1", "b.0"].map((layer, i) =>
    layerProfile(
      { name: layer, kind: "convolution", stage: layer[0]!, layers: [layer] },
      trials.map((values, trial) => ({ trial, criticality: values[i]!, l1: 0, l2: 0 })),
    ),
  );
  const result: CriticalityResult = {
    ...profileOf(layers),
    model: name,
    task: "classification",
    measure: "",
    reset: "",
    trials: trials.length,
    images: 1,
    scale: { criticality: 0.5, of: "constant" },
    notes,
  };
  return { name, result };
}

describe("a comparison", () => {
  it("calls a difference one only where it is larger than what the draws make", () => {
    const noisy = comparisonOf([
      run("x", [
        [0.2, 0.3, 0.4],
        [0.6, 0.7, 0.8],
      ]),
      run("y", [
        [0.3, 0.4, 0.5],
        [0.7, 0.8, 0.9],
      ]),
    ]);
    // standard deviation 0.2828 in each of three layers, two trials: 0.2 / sqrt(3)
    expect(noisy.runs[0]!.standardError).toBeCloseTo(0.2 / Math.sqrt(3), 10);
    expect(verdict(noisy)).toBe(
      "The runs rest on their layers alike: mean criticality 50.0 % to 60.0 %, and fresh draws alone make differences of 32.7 points.",
    );
    const steady = comparisonOf([
      run("x", [
        [0.4, 0.5, 0.6],
        [0.4, 0.5, 0.6],
      ]),
      run("y", [
        [0.5, 0.6, 0.7],
        [0.5, 0.6, 0.7],
      ]),
    ]);
    expect(verdict(steady)).toBe("y rests on more of its layers: mean criticality 60.0 %, against 50.0 % of x.");
    expect(steady.stages).toEqual([
      { name: "a", layers: 2, criticality: [expect.closeTo(0.45), expect.closeTo(0.55)] },
      { name: "b", layers: 1, criticality: [expect.closeTo(0.6), expect.closeTo(0.7)] },
    ]);
  });

  it("leaves open what a single trial cannot tell, and names runs of folded networks", () => {
    const { runs, notes } = comparisonOf([run("x", [[0.4, 0.5, 0.6]]), run("y", [[0.5, 0.6, 0.7]], [foldedAdvice])]);
    expect(runs.map((r) => r.standardError)).toEqual([undefined, undefined]);
    expect(notes).toEqual([expect.stringMatching(/folded into the convolutions of y and not of the others/)]);
  });

  it("takes two runs with layers in common", () => {
    expect(() => comparisonOf([run("x", [[0, 0, 0]])])).toThrow(/at least two runs/);
    const other = run("y", [[0, 0, 0]]);
    const renamed = {
      ...other,
      result: { ...other.result, layers: other.result.layers.map((l) => ({ ...l, name: `${l.name}!` })) },
    };
    expect(() => comparisonOf([run("x", [[0, 0, 0]]), renamed])).toThrow(/x and y have no layer names in common/);
  });
});
