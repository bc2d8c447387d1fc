import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Graph, Value } from "../../../engine/graph/graph.js";
import { add, concat, conv, mul, reduceMean, sigmoid, tanh } from "../../../engine/operators/index.js";
import type { Engine } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { Predictor } from "../../../vision/predictor.js";
import type { PredictorSize } from "../../../vision/spec/model-predictor.js";
import { tasks } from "../../../vision/tasks/index.js";
import { tiled } from "../../../vision/tiled-predictor.js";
import { compilePrediction } from "../ascent/compile-ascent.js";
import type { AttackedModel } from "../attacked-model.js";
import type { AttackBatch, TraceStep } from "../batch.js";
import { attacks } from "../catalogue/index.js";
import { type Attack, compileAttack } from "../definition.js";
import { transforms } from "../transforms/index.js";

type Dense = "segmentation" | "flow" | "disparity" | "restoration";
const [batch, height, width] = [2, 9, 17];
const tiling = { height: 6, width: 8, overlap: 3 };
const channels: Readonly<Record<Dense, number>> = { segmentation: 4, flow: 2, disparity: 1, restoration: 3 };

const filled = (shape: Shape, value: (i: number) => number): Tensor<"float32"> =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i)),
  );

/** Looks at pixels' neighbors and at its whole image, so that what a tile says depends on all that it sees. */
function predictorFor(task: Dense): (size: PredictorSize) => Promise<Predictor> {
  const roles: readonly string[] = tasks[task].roles;
  const random = new Random(5, task);
  const weights = [
    filled([8, 3 * roles.length, 3, 3], () => random.normal(0, 0.4)),
    filled([channels[task], 8, 3, 3], () => random.normal(0, 0.5)),
  ] as const;
  const convolved = (graph: Graph, x: Value, k: 0 | 1) => conv(x, graph.constant(weights[k]), { pads: [1, 1, 1, 1] });
  return async (size) => ({
    images: Object.fromEntries(roles.map((role) => [role, [size.batch, 3, size.height, size.width]])),
    predict: (graph, images) => {
      const x = concat(
        roles.map((r) => images[r]!),
        1,
      );
      const inner = tanh(convolved(graph, add(x, -0.5), 0));
      const y = mul(convolved(graph, add(inner, reduceMean(inner, [2, 3], "keep")), 1), 2);
      return task === "restoration" ? sigmoid(y) : y;
    },
  });
}

function batchOf(task: Dense): AttackBatch {
  const random = new Random(6, task);
  const images = Object.fromEntries(
    tasks[task].roles.map((role) => [role, filled([batch, 3, height, width], () => random.integer(256) / 255)]),
  );
  const target =
    task === "segmentation"
      ? tensor(
          "int64",
          [batch, height, width],
          Array.from({ length: batch * height * width }, (_, i) => (i % 17 === 3 ? 255 : random.integer(4))),
        )
      : filled([batch, channels[task], height, width], () => random.uniform(0, 1));
  const valid = filled([batch, height, width], (i) => (i % 11 === 5 ? 0 : 1));
  const region = filled([batch, 1, height, width], (i) => (i % width > 2 ? 1 : 0));
  return { images, target, valid, region, samples: ["first", "second"], seed: 1 };
}

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

async function both(task: Dense) {
  const make = predictorFor(task);
  const rest = { task: tasks[task], ignore: [255], valid: true, region: true };
  const whole: AttackedModel = { ...rest, predictor: await tiled({ batch, height, width }, tiling, make) };
  const parts: AttackedModel = {
    ...rest,
    predictor: await make({ batch, height: tiling.height, width: tiling.width }),
    tiled: { tiling, height, width },
  };
  return { whole, parts };
}

async function trace(attack: Attack, attacked: AttackedModel, given: AttackBatch) {
  const compiled = await compileAttack(engine, attack, attacked);
  const steps: TraceStep[] = [];
  const outcome = await compiled.run(given, { onTrace: (step) => void steps.push(step) });
  compiled.dispose();
  return { steps, outcome };
}

function expectNear(found: Tensor | Float32Array, wanted: Tensor | Float32Array, tolerance: number, what: string): void {
  const [a, b] = [found, wanted].map((t) => (t instanceof Float32Array ? t : (t.data as Float32Array))) as [
    Float32Array,
    Float32Array,
  ];
  expect(a.length, what).toBe(b.length);
  const [scale, most] = [Math.max(...b.map(Math.abs)), Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))];
  expect(most, what).toBeLessThanOrEqual(tolerance * Math.max(scale, 1e-6));
}

const options = { norm: "l_2", epsilon: 0.5, steps: 4 } as const;
describe.each(["segmentation", "flow", "disparity", "restoration"] as const)("%s tile by tile", (task) => {
  const residual = task === "segmentation" ? {} : { alignment: "residual" };
  it.each([
    ["pgd", attacks.pgd({ ...options })],
    ["segpgd", attacks.segpgd({ ...options })],
    ["cospgd, towards a target", attacks.cospgd({ ...options, ...residual })],
    ["mi-fgsm", attacks["mi-fgsm"]({ ...options })],
    ["apgd", attacks.apgd({ ...options, restarts: 2 })],
    ["apgd-cospgd, on one image of two", attacks["apgd-cospgd"]({ ...options, ...residual })],
  ] as const)("is what one graph with all tiles is: %s", async (name, attack) => {
    const attacked = await both(task);
    const goal = name.includes("towards") ? "targeted" : "untargeted";
    const perturb = name.includes("two") ? [tasks[task].roles.at(-1)!] : undefined;
    const given = batchOf(task);
    const [whole, parts] = [
      await trace(attack, { ...attacked.whole, goal, ...(perturb && { perturb }) }, given),
      await trace(attack, { ...attacked.parts, goal, ...(perturb && { perturb }) }, given),
    ];
    expect(parts.steps.length).toBe(whole.steps.length);
    parts.steps.forEach((step, t) => {
      const other = whole.steps[t]!;
      for (const [role, gradient] of Object.entries(step.gradient))
        expectNear(gradient, other.gradient[role]!, 1e-3, `gradient of ${role} at ${t}`);
      expectNear(step.weight, other.weight, 1e-3, `weight at ${t}`);
      for (const key of ["loss", "objective", "zeroGradient"] as const) expectNear(step[key], other[key], 1e-4, `${key} at ${t}`);
    });
    for (const [role, image] of Object.entries(parts.outcome.images))
      expectNear(image, whole.outcome.images[role]!, 1e-3, `the result's ${role}`);
    for (const key of ["loss", "correct", "prediction"] as const)
      expectNear(parts.outcome[key], whole.outcome[key], 1e-3, `the result's ${key}`);
    expectNear(parts.outcome.clean.loss, whole.outcome.clean.loss, 1e-5, "clean loss");
  });

  it("predicts alone what one graph predicts", async () => {
    const { whole, parts } = await both(task);
    const { images } = batchOf(task);
    const predictions: Tensor[] = [];
    for (const attacked of [whole, parts]) {
      const program = await compilePrediction(engine, attacked);
      predictions.push((await program.run(images)).prediction!);
      program.dispose();
    }
    expect(predictions[1]!.shape).toEqual([batch, channels[task], height, width]);
    expectNear(predictions[1]!, predictions[0]!, 1e-5, "prediction");
  });
});

it("takes random transforms of whole images", async () => {
  const { whole, parts } = await both("flow");
  const [transform, given] = [transforms.shift(2), batchOf("flow")];
  const [a, b] = [
    await trace(attacks.pgd({ ...options }), { ...whole, transform }, given),
    await trace(attacks.pgd({ ...options }), { ...parts, transform }, given),
  ];
  b.steps.forEach((step, t) => {
    expectNear(step.gradient.image2!, a.steps[t]!.gradient.image2!, 1e-3, `gradient at ${t}`);
    expectNear(step.loss, a.steps[t]!.loss, 1e-4, `loss at ${t}`);
  });
  expectNear(b.outcome.images.image2!, a.outcome.images.image2!, 1e-3, "result");
});
