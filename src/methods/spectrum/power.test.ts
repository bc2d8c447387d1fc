import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.js";
import { parseSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { aboveNyquist, energyIn, gridFrequencies, powerSpectrum, radialPower, ringFrequencies, rings, shareOf } from "./power.js";

const golden = parseSafetensors(
  readFileSync(new URL("../../../fixtures/golden/resampling/aliasing/measure.safetensors", import.meta.url)),
).tensors;

async function measure(x: Tensor, factor: readonly [number, number]) {
  const graph = new Graph();
  const [, , h, w] = x.shape as [number, number, number, number];
  const power = powerSpectrum(graph.input("x", "float32", x.shape));
  const all = energyIn(power, () => true);
  const above = energyIn(power, aboveNyquist([h, w], factor));
  graph.output("total", all);
  graph.output("above", above);
  graph.output("ratio", shareOf(above, all));
  graph.output(
    "varying",
    energyIn(power, (u, v) => u !== 0 || v !== 0),
  );
  graph.output("grid", energyIn(power, gridFrequencies([h, w], factor)));
  graph.output("radial", radialPower(power));
  return runModel(graph.build(), { x });
}

describe("the aliasing measure", () => {
  it.each([2, 4])("is that of the reference, sampled at every %i-th row and column", async (r) => {
    const { total, above, ratio, varying } = await measure(golden.get("signals")!, [r, r]);
    const close = (actual: Tensor, name: string, tolerance: number) =>
      toNumbers(golden.get(name)!).forEach((v, i) => {
        expect(Math.abs(toNumbers(actual)[i]! - v), `${name} ${i}`).toBeLessThan(tolerance);
      });
    close(total!, "total", 1e-6);
    close(above!, `above_${r}`, 1e-6);
    close(ratio!, `ratio_${r}`, 1e-5);
    const withoutMean = tensor(
      "float32",
      ratio!.shape,
      toNumbers(above!).map((v, i) => v / Math.max(toNumbers(varying!)[i]!, 1e-20)),
    );
    // without a varying part nothing is left to share: rounding alone
    toNumbers(golden.get(`ratio_ac_${r}`)!).forEach((v, i) => {
      if (toNumbers(varying!)[i]! > 1e-9) expect(Math.abs(Number(withoutMean.data[i]) - v)).toBeLessThan(1e-4);
    });
  });

  it("sees a checkerboard at the frequencies of the grid, and nothing of a ramp that fits no grid", async () => {
    const [h, w] = [12, 16];
    const signal = (f: (y: number, x: number) => number) =>
      tensor(
        "float32",
        [1, 1, h, w],
        Float32Array.from({ length: h * w }, (_, i) => f(Math.floor(i / w), i % w)),
      );
    const share = async (x: Tensor) => {
      const { grid, varying } = await measure(x, [2, 2]);
      return toNumbers(grid!)[0]! / toNumbers(varying!)[0]!;
    };
    expect(await share(signal((y, x) => (x + y) % 2))).toBeCloseTo(1, 6);
    expect(await share(signal((y) => y % 2))).toBeCloseTo(1, 6);
    expect(await share(signal((_, x) => Math.cos((2 * Math.PI * 3 * x) / w)))).toBeLessThan(1e-9);
  });

  it("puts a wave into the ring of its frequency", async () => {
    const [h, w] = [32, 32];
    const x = tensor(
      "float32",
      [1, 1, h, w],
      Float32Array.from({ length: h * w }, (_, i) => 1 + Math.cos((2 * Math.PI * 8 * (i % w)) / w)),
    );
    const radial = toNumbers((await measure(x, [2, 2])).radial!);
    const ring = radial.indexOf(Math.max(...radial));
    expect(Math.abs(ringFrequencies[ring]! - 0.25)).toBeLessThan(Math.SQRT1_2 / rings);
    radial.forEach((v, k) => {
      if (k !== ring) expect(v).toBeLessThan(1e-9);
    });
  });
});
