import { afterAll, beforeAll, expect, it } from "vitest";
import { lower } from "../../../engine/compile/lower.js";
import type { Graph } from "../../../engine/graph/graph.js";
import type { Engine } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import { Random } from "../../../engine/tensor/random.js";
import { sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { stepGraph } from "../ascent/step-graph.js";
import type { AttackedModel } from "../attacked-model.js";
import type { TraceStep } from "../batch.js";
import { attacks } from "../catalogue/index.js";
import { type Attack, ascentOf, compileAttack } from "../definition.js";
import { smallBatch, smallModel } from "../testing/small-model.js";
import { transforms } from "../transforms/index.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const attack = attacks.pgd({ norm: "l_2", epsilon: 0.5, steps: 3 });
/** Views and neighbors of its own; each of them goes through the transform. */
const looking = attacks["vni-fgsm"]({
  norm: "l_2",
  epsilon: 0.5,
  stepSize: 0.1,
  steps: 3,
  variance: 2,
  scales: 2,
  translation: 3,
  inputDiversity: 0.7,
});

async function traced(attacked: AttackedModel, given = smallBatch(attacked.task.name), chosen: Attack = attack) {
  const compiled = await compileAttack(engine, chosen, attacked);
  const steps: TraceStep[] = [];
  const outcome = await compiled.run(given, { onTrace: (step) => void steps.push(step) });
  compiled.dispose();
  return { steps, outcome };
}

/** The raw noise of a draw: each sample has a stream of its own, named by restart, step and draw. */
function noiseOf(name: string, shape: readonly number[], step: number): Tensor<"float32"> {
  const { samples, seed } = smallBatch("flow");
  const each = sizeOf(shape.slice(1));
  const random = samples.map((sample) => new Random(seed, `${sample}/transform/0/${step}/${name}`));
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => random[Math.floor(i / each)]!.uniform(-1, 1)),
  );
}

it.each([
  ["segmentation", "gaussian-noise"],
  ["flow", "gaussian-noise"],
  ["flow", "shift"],
  ["classification", "resize-pad"],
] as const)("%s: draws one after the other give what one graph with all of them gives (%s)", async (task, name) => {
  const attacked = { ...smallModel(task), transform: transforms[name](3) };
  const { steps } = await traced(attacked);
  const graph = stepGraph(await ascentOf(attack), attacked);
  const program = await engine.compile(lower(graph, "cpu"));
  const { images, target } = smallBatch(task);
  for (const { step, x, gradient, loss } of steps) {
    const noise = program.inputs.filter((i) => i.name.startsWith("noise"));
    const found = await program.run(
      {
        target,
        ...Object.fromEntries(noise.map((i) => [i.name, noiseOf(i.name, i.shape as number[], step)])),
        ...Object.fromEntries(Object.entries(x).map(([role, t]) => [`x.${role}`, t])),
        ...Object.fromEntries(Object.entries(images).map(([role, t]) => [`clean.${role}`, t])),
        epsilon: tensor("float32", [], [0.5]),
        step_size: tensor("float32", [], [0.1]),
        progress: tensor("float32", [], [step / 3]),
      },
      { only: ["loss", ...Object.keys(images).map((role) => `gradient.${role}`)] },
    );
    near(loss, found.loss!.data as Float32Array);
    for (const role of Object.keys(images))
      near(gradient[role]!.data as Float32Array, found[`gradient.${role}`]!.data as Float32Array);
  }
  program.dispose();
});

it("views of an attack's own, neighbors and transforms, one after the other, give what one graph with all of them gives", async () => {
  const attacked = { ...smallModel("classification"), transform: transforms["gaussian-noise"](2) };
  const { steps } = await traced(attacked, smallBatch("classification"), looking);
  const program = await engine.compile(lower(stepGraph(await ascentOf(looking), attacked), "cpu"));
  const { images, target } = smallBatch("classification");
  const noise = program.inputs.filter((i) => /^(noise|around)/.test(i.name));
  expect(noise.length).toBe(4 + 8);
  for (const [t, { step, x, gradient, state }] of steps.entries()) {
    const found = await program.run({
      target,
      ...Object.fromEntries(noise.map((i) => [i.name, noiseOf(i.name, i.shape as number[], step)])),
      "x.image": x.image!,
      "clean.image": images.image!,
      ...Object.fromEntries(Object.entries(state).map(([name, value]) => [`state.${name}`, value])),
      epsilon: tensor("float32", [], [0.5]),
      step_size: tensor("float32", [], [0.1]),
      progress: tensor("float32", [], [step / 3]),
    });
    near(gradient.image!.data as Float32Array, found["gradient.image"]!.data as Float32Array);
    const next = steps[t + 1];
    if (!next) continue;
    near(next.x.image!.data as Float32Array, found["next.image"]!.data as Float32Array);
    for (const [name, value] of Object.entries(next.state))
      near(value.data as Float32Array, found[`next_state.${name}`]!.data as Float32Array);
  }
  program.dispose();
});

it("gives the same bits again", async () => {
  const attacked = { ...smallModel("flow"), transform: transforms["gaussian-noise"](4) };
  const [a, b] = [await traced(attacked), await traced(attacked)];
  expect(a.outcome.images.image1!.data).toEqual(b.outcome.images.image1!.data);
  expect(a.steps.map((s) => s.gradient)).toEqual(b.steps.map((s) => s.gradient));
});

it("compiles the same graphs, however many draws there are", async () => {
  const nodes = async (samples: number) => {
    const counts: number[] = [];
    const compile: Engine["compile"] = (model, options) => {
      counts.push((model as Graph).build().graph.nodes.length);
      return engine.compile(model, options);
    };
    const counting = new Proxy(engine, { get: (on, key) => (key === "compile" ? compile : Reflect.get(on, key, on)) });
    (await compileAttack(counting, attack, { ...smallModel("segmentation"), transform: transforms.shift(samples) })).dispose();
    return counts;
  };
  expect(await nodes(20)).toEqual(await nodes(2));
});

it("says when a transform lets no gradient through, or moves pixels from their targets", async () => {
  const shift = transforms.shift(2);
  const blind = {
    ...shift,
    name: "blind",
    apply: (_: unknown, noise: Parameters<typeof shift.apply>[1]) => noise,
    noise: () => [2, 3, 8, 10],
  };
  await expect(compileAttack(engine, attack, { ...smallModel("segmentation"), transform: blind })).rejects.toThrow(/gradient/);
  const moving = { ...smallModel("flow"), transform: transforms["resize-pad"](2) };
  await expect(compileAttack(engine, attack, moving)).rejects.toThrow(/moves pixels/);
});

function near(found: Float32Array, wanted: Float32Array): void {
  const scale = Math.max(...wanted.map(Math.abs));
  const most = Math.max(...found.map((v, i) => Math.abs(v - wanted[i]!)));
  expect(scale).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(1e-5 * scale);
}
