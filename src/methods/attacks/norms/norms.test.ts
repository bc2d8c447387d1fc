import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../engine/graph/graph.js";
import { add, clip, sub } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { runModel } from "../../../engine/testing/run-model.js";
import { nearestLevels } from "../ascent/descent/on-grid.js";
import { norms } from "./index.js";

const n = 12;
const floats = (min: number, max: number) =>
  fc.array(fc.double({ min, max, noNaN: true }).map(Math.fround), { minLength: n, maxLength: n });

async function run(build: (graph: Graph) => void, feeds: Record<string, readonly number[]>, epsilon: number) {
  const graph = new Graph();
  build(graph);
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, v]) => [name, tensor("float32", [1, n, 1, 1], Float32Array.from(v))]),
  );
  const { y } = await runModel(graph.build(), { ...inputs, epsilon: tensor("float32", [], [epsilon]) });
  return Array.from(y!.data as Float32Array);
}

/** The nearest point of ball ∩ box by bisection for θ in double precision. */
function nearest(delta: readonly number[], clean: readonly number[], epsilon: number): number[] {
  const at = (theta: number) =>
    delta.map((d, i) => Math.min(Math.max(Math.abs(d) - theta, 0), d > 0 ? 1 - clean[i]! : clean[i]!));
  const sum = (v: readonly number[]) => v.reduce((a, b) => a + b, 0);
  let [low, high] = [0, 4];
  if (sum(at(0)) <= epsilon) high = 0;
  for (let k = 0; k < 80; k++) {
    const middle = (low + high) / 2;
    if (sum(at(middle)) > epsilon) low = middle;
    else high = middle;
  }
  return at(high).map((t, i) => t * Math.sign(delta[i]!));
}

describe("l_1", () => {
  it("projects onto ball ∩ box (Croce & Hein 2021)", async () => {
    await fc.assert(
      fc.asyncProperty(
        floats(-2, 2),
        floats(0, 1),
        fc.double({ min: 0.01, max: 6, noNaN: true }),
        async (delta, clean, epsilon) => {
          const y = await run(
            (graph) => {
              const [d, c] = ["delta", "clean"].map((name) => graph.input(name, "float32", [1, n, 1, 1]));
              graph.output("y", norms.l_1.project(d!, graph.input("epsilon", "float32", []), c!));
            },
            { delta, clean },
            epsilon,
          );
          nearest(delta, clean, epsilon).forEach((v, i) => {
            expect(Math.abs(y[i]! - v)).toBeLessThan(2e-5);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("the 8-bit grid", () => {
  it.each(Object.values(norms))("$name: whole levels, inside the ball, at most one level from the point", async (norm) => {
    await fc.assert(
      fc.asyncProperty(
        floats(-0.05, 0.05),
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: n, maxLength: n }),
        fc.double({ min: 1 / 255, max: 0.2, noNaN: true }),
        async (raw, levels, epsilon) => {
          const clean = levels.map((k) => Math.fround(k / 255));
          const y = await run(
            (graph) => {
              const [d, c] = ["delta", "clean"].map((name) => graph.input(name, "float32", [1, n, 1, 1]));
              const e = graph.input("epsilon", "float32", []);
              const x = clip(add(c!, norm.project(d!, e, c!)), 0, 1);
              graph.output("y", sub(nearestLevels(x, c!, norm, e), c!));
              graph.output("x", sub(x, c!));
            },
            { delta: raw, clean },
            epsilon,
          );
          const size = {
            l_inf: Math.max(...y.map(Math.abs)),
            l_2: Math.hypot(...y),
            l_1: y.reduce((s, v) => s + Math.abs(v), 0),
          }[norm.name];
          expect(size).toBeLessThanOrEqual(epsilon * (1 + 1e-5) + 1e-6);
          y.forEach((v, i) => {
            expect(Math.abs(v * 255 - Math.round(v * 255))).toBeLessThan(1e-3);
            expect(v + clean[i]!).toBeGreaterThanOrEqual(-1e-6);
            expect(v + clean[i]!).toBeLessThanOrEqual(1 + 1e-6);
          });
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("starts anywhere in the ball", () => {
  it.each(["l_2", "l_1"] as const)("%s: radii grow with the n-th root, directions have no preference", (name) => {
    const { ball } = norms[name];
    const random = new Random(1, name);
    const radii = Array.from({ length: 4000 }, () => ball!.radius(random.uniform(0, 1), 3));
    // half of the volume of a ball in three dimensions lies within 2^(-1/3) of its radius
    expect(radii.filter((r) => r < 2 ** (-1 / 3)).length / radii.length).toBeCloseTo(0.5, 1);
    const noise = Array.from({ length: 20000 }, () => ball!.noise(random));
    const moment = (k: number) => noise.reduce((s, v) => s + Math.abs(v) ** k, 0) / noise.length;
    // E v² / E |v|² is π / 2 for Gaussian noise, 2 for the two-sided exponential one
    expect(moment(2) / moment(1) ** 2).toBeCloseTo(name === "l_2" ? Math.PI / 2 : 2, 1);
  });
});
