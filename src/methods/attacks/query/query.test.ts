import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../../engine/graph/graph.js";
import { concat, floor, mul, reduceSum, reshape, sub } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { createEngine, type Engine, type Program } from "../../../index.js";
import type { Norm } from "../ascent/ascent.js";
import type { AttackBatch } from "../batch.js";
import { attacks, nes, pgd, simba, square } from "../catalogue/index.js";
import { type Attack, compileAttack } from "../definition.js";
import { norms } from "../norms/index.js";
import { functionModel } from "../testing/function-model.js";
import { project } from "./ball.js";
import { pixelDirections, waveDirections } from "./directions.js";
import { hillAndValley, shareAt, sideOf, sizeOfValues, startOf } from "./squares.js";

const [height, width] = [8, 10];
const shape = (count: number) => [count, 3, height, width] as const;
const random = new Random(3, "a linear classifier");
const weights = tensor(
  "float32",
  [1, 3, height, width],
  Float32Array.from({ length: 3 * height * width }, () => random.normal()),
);

/** Two classes by which side of a plane a picture lies on; with `steps` the logit has that many steps and no gradient. */
const plane = (count: number, steps?: number) =>
  functionModel(shape(count), (image) => {
    const score = reduceSum(mul(sub(image, 0.5), image.graph.constant(weights)), [1, 2, 3], "drop");
    const logit: Value = steps === undefined ? score : mul(floor(mul(score, steps)), 1 / steps);
    const column = reshape(logit, [count, 1]);
    return concat([mul(column, -1), column], 1);
  });

/** Pictures at a margin from the plane that an attack of the tests' radii can cross, all on its upper side; the last one is called wrongly. */
function batchOf(count: number): AttackBatch {
  const data = new Float32Array(sizeOf(shape(count)));
  const n = sizeOf(shape(1));
  const length = Math.sqrt(weights.data.reduce((s, w) => s + w * w, 0));
  for (let b = 0; b < count; b++) {
    const drawn = Float32Array.from({ length: n }, () => random.uniform(0.2, 0.8));
    const score = drawn.reduce((s, v, i) => s + (v - 0.5) * weights.data[i]!, 0);
    // moved along the normal until it is 0.1 above the plane
    data.set(
      drawn.map((v, i) => v + ((0.1 * length - score) * weights.data[i]!) / length ** 2),
      b * n,
    );
  }
  const labels = Array.from({ length: count }, (_, b) => (b === count - 1 && count > 1 ? 0 : 1));
  return {
    images: {
      image: tensor(
        "float32",
        [...shape(count)],
        data.map((v) => Math.min(1, Math.max(0, v))),
      ),
    },
    target: tensor("int64", [count], labels),
    samples: labels.map((_, b) => `picture ${b}`),
    seed: 4,
  };
}

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

async function run(attack: Attack, batch: AttackBatch, { part, steps }: { part?: number; steps?: number } = {}) {
  const count = batch.samples.length;
  const model = { ...plane(part ?? count, steps), ...(part !== undefined && { batch: count }) };
  const compiled = await compileAttack(engine, attack, model);
  try {
    return await compiled.run(batch);
  } finally {
    compiled.dispose();
  }
}

const all: readonly Attack[] = [
  square({ epsilon: 0.05, queries: 400 }),
  square({ norm: "l_2", epsilon: 0.4, queries: 400 }),
  square({ norm: "l_1", epsilon: 4, queries: 400 }),
  simba({ queries: 400 }),
  simba({ basis: "dct", frequencies: 0.5, queries: 400 }),
  nes({ epsilon: 0.05, queries: 400, samples: 20 }),
  nes({ norm: "l_2", epsilon: 0.4, queries: 400, samples: 20 }),
];
const named = all.map((attack) => ({ name: `${attack.name} ${JSON.stringify(attack.parameters)}`, attack }));

describe("attacks that see predictions alone", () => {
  const batch = batchOf(5);

  it.each(named)("$name breaks what is right, leaves what is wrong alone, and counts", async ({ attack }) => {
    const { correct, clean, images, found, steps } = await run(attack, batch);
    expect(Array.from(clean.correct)).toEqual([1, 1, 1, 1, 0]);
    expect(Array.from(correct)).toEqual([0, 0, 0, 0, 0]);
    expect(steps).toEqual([]);
    const queries = Array.from(found!.queries!);
    expect(queries[4]).toBe(0);
    for (const n of queries.slice(0, 4)) {
      expect(n).toBeGreaterThan(0);
      expect(n).toBeLessThan(400);
    }
    const n = sizeOf(shape(1));
    expect(images.image!.data.slice(4 * n)).toEqual(batch.images.image!.data.slice(4 * n));
  });

  it.each(named)("$name needs no more queries than it has, and no gradient", async ({ attack }) => {
    // The logit is a staircase: flat everywhere, so gradients say nothing, and predictions little.
    const short = { ...attack, parameters: { ...attack.parameters, queries: 30 } };
    const { found, correct } = await run(short, batch, { steps: 0.5 });
    found!.queries!.forEach((n, b) => {
      expect(n).toBeLessThanOrEqual(30);
      if (correct[b] === 1) expect(n).toBe(30);
    });
  });

  it.each(named)("$name: a sample's result depends on its name and the seed, not on its batch", async ({ attack }) => {
    const whole = await run(attack, batch);
    const parts = await run(attack, batch, { part: 2 });
    const alone = await run(attack, single(batch, 2));
    const n = sizeOf(shape(1));
    expect(parts.found).toEqual(whole.found);
    expect(parts.images).toEqual(whole.images);
    expect(alone.found!.queries![0]).toBe(whole.found!.queries![2]);
    expect(alone.images.image!.data).toEqual(whole.images.image!.data.slice(2 * n, 3 * n));
    const other = await run(attack, { ...batch, seed: 5 });
    expect(other.images).not.toEqual(whole.images);
  });

  it.each(named)("$name counts every run of the model but those of the clean picture and of the result", async ({ attack }) => {
    let runs = 0;
    const counted = withMethod(engine, "compile", async (...given: Parameters<Engine["compile"]>) => {
      const program = await engine.compile(...given);
      return withMethod(program, "run", (...feeds: Parameters<Program["run"]>) => {
        runs++;
        return program.run(...feeds);
      });
    });
    const compiled = await compileAttack(counted, attack, plane(1));
    const { found } = await compiled.run(single(batch, 0));
    compiled.dispose();
    expect(found!.queries![0]).toBeGreaterThan(0);
    expect(runs).toBe(found!.queries![0]! + 2);
  });

  it("Square breaks a model whose gradient is zero everywhere, which PGD cannot follow", async () => {
    await expect(run(pgd({ epsilon: 0.05 }), batch, { steps: 20 })).rejects.toThrow(/is 0 everywhere/);
    const found = await run(square({ epsilon: 0.05, queries: 400 }), batch, { steps: 20 });
    expect(Array.from(found.correct)).toEqual([0, 0, 0, 0, 0]);
  });

  it("a loss that the task does not have is refused", async () => {
    const { definition, parameters } = attacks.square({ loss: "hinge" });
    await expect(definition.check!(parameters, { task: plane(1).task, goal: "untargeted" })).rejects.toThrow(
      /has no loss "hinge"/,
    );
  });
});

/** The same with another method in the place of one. */
const withMethod = <T extends object, K extends keyof T>(of: T, name: K, method: T[K]): T =>
  new Proxy(of, {
    get(target, key) {
      if (key === name) return method;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

function single(batch: AttackBatch, b: number): AttackBatch {
  const cut = <T extends Tensor>(t: T): T => {
    const n = sizeOf(t.shape.slice(1));
    return { ...t, shape: [1, ...t.shape.slice(1)], data: t.data.slice(b * n, (b + 1) * n) } as T;
  };
  return { ...batch, images: { image: cut(batch.images.image!) }, target: cut(batch.target), samples: [batch.samples[b]!] };
}

describe("squares", () => {
  it("shrink as published: p is halved after 10, 50, 200 ... of 10000 queries, or of their shares", () => {
    const at = (queries: readonly number[], of: number) => queries.map((q) => Math.log2(0.8 / shareAt(q, of, 0.8)));
    expect(at([0, 10, 11, 50, 51, 201, 501, 1001, 2001, 4001, 6001, 8001, 9999], 10_000)).toEqual([
      0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9,
    ]);
    expect(at([0, 1, 2, 5, 6, 21, 51, 101, 201, 401, 601, 801], 1000)).toEqual([0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(sideOf(0.8, 224, 224, "l_inf")).toBe(200);
    expect(sideOf(0.8, 224, 224, "l_2")).toBe(201);
    expect(sideOf(0.00001, 224, 224, "l_inf")).toBe(1);
    expect(sideOf(0.00001, 224, 224, "l_1")).toBe(3);
    expect(sideOf(1, 8, 100, "l_inf")).toBe(8);
  });

  it("lie anywhere, or as released never at the end of an axis", () => {
    const starts = (free: number, windows: "published" | "released") =>
      new Set(Array.from({ length: 200 }, () => startOf(free, windows, random)));
    expect([...starts(3, "published")].sort()).toEqual([0, 1, 2, 3]);
    expect([...starts(3, "released")].sort()).toEqual([0, 1, 2]);
    for (const windows of ["published", "released"] as const) expect([...starts(0, windows)]).toEqual([0]);
  });

  it.each(["l_2", "l_1"] as const)("in %s hold a hill and a valley of the same size, highest in the middle", (norm) => {
    const side = 7;
    const pattern = hillAndValley(side, norm, false);
    expect(sizeOfValues(pattern, norm)).toBeCloseTo(1, 12);
    const [upper, lower] = [pattern.slice(0, 3 * side), pattern.slice(3 * side)];
    expect(upper.every((v) => v > 0)).toBe(true);
    expect(lower.every((v) => v < 0)).toBe(true);
    expect(sizeOfValues(upper, norm)).toBeCloseTo(sizeOfValues(lower, norm), 12);
    expect(Math.max(...upper)).toBeCloseTo(upper[1 * side + 3]!, 12);
    // 1 + 1/2^q + 1/3^q + 1/4^q in the middle of a hill of 3 x 7, whose widest rectangle is the fourth
    const q = norm === "l_2" ? 2 : 4;
    const nested = (d: number) => [1, 2, 3, 4].slice(d).reduce((s, k) => s + 1 / k ** q, 0);
    expect(upper[side + 3]! / upper[side]!).toBeCloseTo(nested(0) / nested(3), 10);
    const turned = hillAndValley(side, norm, true);
    expect(turned[3 * side + 1]).toBeCloseTo(pattern[1 * side + 3]!, 12);
  });
});

it("directions are orthonormal", () => {
  const size = { pictures: 2, channels: 2, height: 4, width: 6 };
  for (const { count, at } of [pixelDirections(size), waveDirections(size, 0.5), waveDirections(size, 1)]) {
    const vectors = Array.from({ length: count }, (_, k) => {
      const whole = [new Float32Array(48), new Float32Array(48)];
      const { picture, add } = at(k);
      add(whole[picture]!, 1);
      return [...whole[0]!, ...whole[1]!];
    });
    for (const [i, a] of vectors.entries())
      for (const [j, b] of vectors.entries()) expect(a.reduce((s, v, k) => s + v * b[k]!, 0)).toBeCloseTo(i === j ? 1 : 0, 5);
  }
});

it.each(Object.keys(norms) as Norm["name"][])(
  "%s: a projection lies in the ball and the box, and what is inside stays",
  (norm) => {
    const draw = new Random(8, norm);
    for (let k = 0; k < 50; k++) {
      const clean = Float32Array.from({ length: 12 }, () => draw.uniform());
      const x = clean.map((v) => v + draw.uniform(-2, 2));
      project(norm, x, clean, 0.7);
      const delta = Array.from(x, (v, i) => v - clean[i]!);
      const size = {
        l_inf: Math.max(...delta.map(Math.abs)),
        l_2: Math.hypot(...delta),
        l_1: delta.reduce((s, d) => s + Math.abs(d), 0),
      }[norm];
      expect(size).toBeLessThanOrEqual(0.7 * (1 + 1e-6));
      expect(x.every((v) => v >= 0 && v <= 1)).toBe(true);
      const again = x.slice();
      project(norm, again, clean, 0.7 * (1 + 1e-6));
      again.forEach((v, i) => {
        expect(v).toBeCloseTo(x[i]!, 6);
      });
      // On a short way and inside the box nothing is cut.
      const near = clean.map((v) => v + (v < 0.5 ? 0.01 : -0.01));
      const kept = near.slice();
      project(norm, kept, clean, 0.7);
      kept.forEach((v, i) => {
        expect(v).toBeCloseTo(near[i]!, 6);
      });
    }
  },
);
