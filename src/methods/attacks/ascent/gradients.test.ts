import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../../engine/graph/graph.js";
import { matMul, reshape } from "../../../engine/operators/index.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { createEngine, type Engine, type PixelFunction } from "../../../index.js";
import { apgd, bim, miFgsm } from "../catalogue/index.js";
import { type AttackDefinition, attackOf, compileAttack, ownParameters, type Parameters } from "../definition.js";
import { norms } from "../norms/index.js";
import type { StepRecord } from "../outcome.js";
import { functionModel } from "../testing/function-model.js";
import type { Norm } from "./ascent.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

/** One attack on the loss Σ w x, from x = 0.5 everywhere (or the given image). */
async function perturbation(
  definition: AttackDefinition,
  weights: readonly number[],
  options: Parameters,
  start = weights.map(() => 0.5),
) {
  const n = weights.length;
  const loss: PixelFunction = (z) => reshape(z, [1]);
  const logits = (image: Value) =>
    matMul(reshape(image, [1, n]), image.graph.constant(tensor("float32", [n, 1], Float32Array.from(weights))));
  const compiled = await compileAttack(
    engine,
    attackOf(definition, ownParameters(definition, { ...options, loss })),
    functionModel([1, n, 1, 1], logits),
  );
  const image: Tensor<"float32"> = tensor("float32", [1, n, 1, 1], Float32Array.from(start));
  const records: StepRecord[] = [];
  const outcome = await compiled.run(
    { images: { image }, target: tensor("int64", [1], [0]), samples: ["only"], seed: 0 },
    { onStep: (record) => records.push(record) },
  );
  compiled.dispose();
  return { delta: Array.from(outcome.images.image!.data, (v, i) => v - start[i]!), records };
}

const close = (actual: readonly number[], expected: readonly number[]) =>
  expected.forEach((v, i) => {
    expect(actual[i], `entry ${i}`).toBeCloseTo(v, 5);
  });

describe("gradients of any size", () => {
  const l2 = { norm: "l_2", epsilon: 0.1, stepSize: 0.1, steps: 1 };

  it.each([1, 1e-13, 1e-25, 1e-38, 1e25, 8e37])("the l_2 step along (3, 4) · %f has full length", async (scale) => {
    close((await perturbation(bim, [3 * scale, 4 * scale].map(Math.fround), l2)).delta, [0.06, 0.08]);
    close((await perturbation(miFgsm, [3 * scale, 4 * scale].map(Math.fround), l2)).delta, [0.06, 0.08]);
  });

  it("a gradient of zeros moves nothing", async () => {
    for (const norm of Object.keys(norms)) close((await perturbation(bim, [0, 0, 0], { ...l2, norm })).delta, [0, 0, 0]);
  });

  it.each(Object.keys(norms) as Norm["name"][])("what is not a number counts as 0 and is counted, in %s", async (name) => {
    for (const make of [bim, miFgsm, apgd]) {
      const { delta, records } = await perturbation(make, [Number.NaN, 1], {
        ...l2,
        norm: name,
        steps: 3,
        randomStart: "none",
      });
      expect(delta[0]).toBe(0);
      expect(delta.every(Number.isFinite)).toBe(true);
      expect(records[0]!.nanGradient[0]).toBe(0.5);
    }
  });

  it("an infinite gradient outweighs all others, and is counted", async () => {
    const { delta, records } = await perturbation(bim, [Number.POSITIVE_INFINITY, 1], l2);
    close(delta, [0.1, 0]);
    expect(records[0]!.nanGradient[0]).toBe(0.5);
  });
});

describe("l_1", () => {
  const l1 = { norm: "l_1", epsilon: 0.6, stepSize: 0.6, steps: 1 };
  const gain = (delta: readonly number[], weights: readonly number[]) => delta.reduce((s, d, i) => s + d * weights[i]!, 0);

  it("takes the steepest step: a gain of 1.8 for weights (1, -3, 2) and ε = 0.6", async () => {
    const { delta } = await perturbation(bim, [1, -3, 2], l1, [0.5, 0.9, 0.1]);
    expect(gain(delta, [1, -3, 2])).toBeCloseTo(1.8, 5);
  });

  it("passes over entries that the box stops", async () => {
    close((await perturbation(bim, [1, -3, 2], l1, [0.5, 0, 0.1])).delta, [0, 0, 0.6]);
  });

  it("spends the whole radius inside the box: what one entry cannot take, others do", async () => {
    // ball ∩ box: the best is 0.5 on the second, 0.1 on the third, a gain of 1.7; steps of fixed length circle around it
    const { delta } = await perturbation(bim, [1, -3, 2], { ...l1, stepSize: 0.2, steps: 30 });
    expect(gain(delta, [1, -3, 2])).toBeGreaterThan(1.55);
    const auto = await perturbation(apgd, [1, -3, 2], { ...l1, steps: 60 });
    expect(gain(auto.delta, [1, -3, 2])).toBeGreaterThan(1.65);
  });
});
