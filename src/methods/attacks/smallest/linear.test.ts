import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../../engine/graph/graph.js";
import { add, matMul, reshape } from "../../../engine/operators/index.js";
import type { Engine } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import { Random } from "../../../engine/tensor/random.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { cw, ddn, deepfool, fab, fabT, fmn } from "../catalogue/index.js";
import { type Attack, compileAttack } from "../definition.js";
import type { NormName } from "../lengths.js";
import { dualOf, lengths } from "../lengths.js";
import { functionModel } from "../testing/function-model.js";
import { towardPlane } from "./plane.js";

// A linear classifier of two classes, z = (⟨w, x⟩ + b, 0), whose border is |⟨w, x⟩ + b| / ‖w‖_q away; worked out here in double precision. x is in the middle
// of [0, 1], so that the box does not matter.

const n = 48;
const random = new Random(8, "linear");
const w = Float64Array.from({ length: n }, () => Math.fround(random.normal(0, 1)));
const x = Float64Array.from({ length: n }, () => Math.fround(random.uniform(0.45, 0.55)));
const height = 0.5;
const bias = height - w.reduce((s, v, i) => s + v * x[i]!, 0);
const columns = tensor(
  "float32",
  [n, 2],
  Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? w[i / 2]! : 0)),
);
const model = functionModel([1, 3, 4, 4], (image: Value) =>
  add(matMul(reshape(image, [1, n]), image.graph.constant(columns)), image.graph.constant(tensor("float32", [2], [bias, 0]))),
);
const batch = (label: number) => ({
  images: { image: tensor("float32", [1, 3, 4, 4], Float32Array.from(x)) },
  target: tensor("int64", [1], [label]),
  samples: ["only"],
  seed: 0,
});

const distance = (norm: Exclude<NormName, "l_0">) => height / lengths[dualOf[norm]](w);

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

async function radiusOf(attack: Attack, goal: "untargeted" | "targeted") {
  const compiled = await compileAttack(engine, attack, { ...model, goal });
  const { found, steps } = await compiled.run(batch(goal === "untargeted" ? 0 : 1));
  compiled.dispose();
  return { radius: found!.radius![0]!, steps: steps.length };
}

describe.each(["untargeted", "targeted"] as const)("%s, on a linear model", (goal) => {
  it.each(["l_2", "l_inf"] as const)(
    "deepfool, %s: one step, to the border exactly and beyond by the overshoot",
    async (norm) => {
      for (const overshoot of [0.001, 0.02]) {
        const { radius, steps } = await radiusOf(deepfool({ norm, overshoot }), goal);
        // Each step goes 1e-4 further than to the border, as the authors' code has it.
        expect(radius).toBeCloseTo((distance(norm) + 1e-4) * (1 + overshoot), 6);
        expect(steps).toBe(2);
      }
    },
  );

  it("fmn, l_0: no more entries than the largest weights need", async () => {
    // Each entry of x can change by its room at most, in the direction that lowers the height.
    const gains = Array.from(w, (v, i) => Math.abs(v) * (v > 0 ? x[i]! : 1 - x[i]!)).sort((a, b) => b - a);
    let [left, least] = [height, 0];
    for (; left > 0; least++) left -= gains[least]!;
    const { radius } = await radiusOf(fmn({ norm: "l_0", steps: 200 }), goal);
    expect(radius).toBeGreaterThanOrEqual(least);
    expect(radius).toBeLessThanOrEqual(least + 1);
  });

  it.each([
    ["ddn", "l_2", ddn({ steps: 200 }), 1.01],
    ...(["l_inf", "l_2", "l_1"] as const).flatMap((norm) => [
      ["fab", norm, fab({ norm, steps: 30 }), 1.01] as const,
      ["fab-t", norm, fabT({ norm, steps: 30 }), 1.01] as const,
    ]),
    ...(["l_inf", "l_2", "l_1"] as const).flatMap((norm) =>
      (["published", "steady"] as const).map((growth) => ["fmn", norm, fmn({ norm, growth, steps: 200 }), 1.02] as const),
    ),
    ["cw", "l_2", cw({ steps: 200, learningRate: 0.01 }), 1.02],
  ] as const)("%s, %s: the distance nearly", async (_, norm, attack, most) => {
    const { radius } = await radiusOf(attack, goal);
    expect(radius / distance(norm)).toBeGreaterThan(1 - 1e-5);
    expect(radius / distance(norm)).toBeLessThan(most);
  });
});

// From black and white, where the box takes back a part of each step, and tanh is flat. Heights are shares of how far the box lets a picture get.
describe("from black and white, the distance within the box nearly", () => {
  const shares = [0.02, 0.1, 0.2, 0.3, 0.4, 0.5];
  const pixels = 12;
  const slope = Float32Array.from({ length: pixels }, () => random.normal(0, 1));
  const pictures = shares.map(() => Float32Array.from({ length: pixels }, () => Math.round(random.uniform(0, 1))));
  const dot = (picture: Float32Array) => picture.reduce((sum, v, i) => sum + v * slope[i]!, 0);
  const least = slope.reduce((sum, v) => sum + Math.min(v, 0), 0);
  const heights = pictures.map((picture, b) => shares[b]! * (dot(picture) - least));
  const boxed = functionModel([shares.length, 3, 2, 2], (image: Value) =>
    add(
      matMul(
        reshape(image, [shares.length, pixels]),
        image.graph.constant(
          tensor(
            "float32",
            [pixels, 2],
            Array.from(slope).flatMap((v) => [v, 0]),
          ),
        ),
      ),
      image.graph.constant(
        tensor(
          "float32",
          [shares.length, 2],
          pictures.flatMap((p, b) => [heights[b]! - dot(p), 0]),
        ),
      ),
    ),
  );

  it.each([
    ["ddn", "l_2", ddn(), 1.02],
    ["cw", "l_2", cw({ constants: 2, firstConstant: 10 }), 1.03],
    ["fab", "l_1", fab({ norm: "l_1", steps: 30 }), 1.02],
    ...(["l_inf", "l_2", "l_1"] as const).map((norm) => ["fmn", norm, fmn({ norm }), 1.02] as const),
  ] as const)("%s, %s", async (_, norm, attack, most) => {
    const compiled = await compileAttack(engine, attack as Attack, boxed);
    const { found } = await compiled.run({
      images: {
        image: tensor(
          "float32",
          [shares.length, 3, 2, 2],
          pictures.flatMap((p) => [...p]),
        ),
      },
      target: tensor("int64", [shares.length], new Array(shares.length).fill(0)),
      samples: shares.map(String),
      seed: 0,
    });
    compiled.dispose();
    for (const [b, picture] of pictures.entries()) {
      const ratio = found!.radius![b]! / lengths[norm](towardPlane(norm, picture, slope, -heights[b]!));
      expect(ratio).toBeGreaterThan(1 - 1e-4);
      expect(ratio).toBeLessThan(most);
    }
  });
});
