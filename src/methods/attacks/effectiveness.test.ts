import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseModel } from "../../engine/onnx/read.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { syntheticDataset } from "../../vision/data/index.js";
import { modelPredictor } from "../../vision/spec/model-predictor.js";
import { parseModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Norm } from "./ascent/ascent.js";
import type { AttackedModel } from "./attacked-model.js";
import type { AttackBatch } from "./batch.js";
import { attacks } from "./catalogue/index.js";
import {
  type Attack,
  type AttackDefinition,
  attackOf,
  checkAttack,
  compileAttack,
  fitAttack,
  ownParameters,
} from "./definition.js";
import { AttackError } from "./error.js";
import { norms } from "./norms/index.js";
import type { AttackOutcome } from "./outcome.js";

// A really trained network (experiments/attack-effectiveness) on scenes that it has not seen.
const fixture = new URL("../../../fixtures/models/segmenter.onnx", import.meta.url);
const [images, size] = [4, 96];
// On 27,648 values, random noise of l_2 size 1 moves each by 0.006 = 1.5/255; in l_1 it takes more to move anything.
const budgets: Readonly<Record<Norm["name"], number>> = { l_inf: 8 / 255, l_2: 1, l_1: 100 };
const definitions = Object.values<AttackDefinition>(attacks).filter(
  ({ follows, seeks, until, fit }) => follows === "gradients" && !seeks && !until && !fit,
);

let engine: Engine;
let attacked: AttackedModel;
let batch: AttackBatch;
const noise = new Map<string, AttackOutcome>();

beforeAll(async () => {
  engine = await createEngine();
  const spec = parseModelSpec(JSON.parse(readFileSync(new URL("segmenter.spec.json", fixture), "utf8")));
  const dataset = syntheticDataset({ task: "segmentation", size, length: images, seed: 2 });
  const samples = await Promise.all(Array.from({ length: images }, (_, i) => dataset.sample(i)));
  const joined = (parts: readonly Tensor[]) => parts.flatMap((t) => Array.from(t.data as ArrayLike<number>));
  const image = tensor("float32", [images, 3, size, size], joined(samples.map((s) => s.inputs.image!)));
  const labels = joined(samples.map((s) => s.target!)).map(BigInt);
  const predictor = await modelPredictor(
    parseModel(readFileSync(fixture)),
    spec,
    { batch: images, height: size, width: size },
    engine.evaluate,
  );
  attacked = { predictor, task: tasks.segmentation, ignore: spec.ignore };
  batch = {
    images: { image },
    target: tensor("int64", [images, size, size], labels),
    samples: samples.map((s) => s.id),
    seed: 0,
  };
  for (const norm of Object.keys(norms) as Norm["name"][]) {
    const compiled = await compileAttack(engine, attacks.noise({ norm, epsilon: budgets[norm], restarts: 3 }), attacked);
    noise.set(norm, await compiled.run(batch));
    compiled.dispose();
  }
});
afterAll(() => engine.dispose());

describe("the committed segmenter", () => {
  it("labels most pixels of unseen scenes correctly", () => {
    const { correct } = noise.get("l_inf")!.clean;
    expect(correct.reduce((sum, share) => sum + share, 0) / images).toBeGreaterThan(0.8);
  });

  const attackIn = (definition: AttackDefinition, norm: Norm["name"]) =>
    attackOf(definition, ownParameters(definition, { norm, epsilon: budgets[norm], steps: 3 }));
  const cases = [
    ...definitions
      .filter((definition) => attackIn(definition, "l_inf").budget.norm === "l_inf")
      .map((definition) => ({ name: definition.name, norm: "l_inf" as const, definition })),
    ...(["l_2", "l_1"] as const).map((norm) => ({ name: "cospgd", norm, definition: attacks.cospgd })),
  ];
  it.each(cases)("$name in $norm beats noise of the same budget on every image", async ({ norm, definition }) => {
    const attack = attackIn(definition, norm);
    // Moved pixels no longer lie where their labels are.
    const refused = await checkAttack(attack, { task: tasks.segmentation, goal: "untargeted" }).catch((error: Error) => error);
    if (refused) return expect(refused).toBeInstanceOf(AttackError);
    const compiled = await compileAttack(engine, attack, attacked);
    expectWorse(await compiled.run(batch), noise.get(norm)!);
    compiled.dispose();
  });
});

describe("what is learned for all images costs clearly more pixels than noise in its place", () => {
  /** Share of the pixels that are lost, of those that were right. */
  const lost = async (attack: Attack): Promise<number> => {
    const learned = attack.definition.fit && (await fitAttack(engine, attack, attacked, { batch: async () => batch })).fitted;
    const compiled = await compileAttack(engine, attack, attacked, learned);
    const { clean, correct } = await compiled.run(batch);
    compiled.dispose();
    const sum = (values: Float32Array) => values.reduce((a, b) => a + b, 0);
    return 1 - sum(correct) / sum(clean.correct);
  };

  it("a universal perturbation", async () => {
    const noise = await lost(attacks.noise({ epsilon: budgets.l_inf }));
    expect(await lost(attacks.universal({ epsilon: budgets.l_inf, steps: 40 }))).toBeGreaterThan(4 * noise);
  });

  it("a patch at one place", async () => {
    const still = { placement: "center", scaling: 0, rotation: 0 };
    const noise = await lost(attacks.patch({ ...still, steps: 0 }));
    expect(await lost(attacks.patch({ ...still, steps: 100 }))).toBeGreaterThan(1.5 * noise);
  });
});

/** Fewer correct pixels and a higher loss, image by image, while the image stays within the ball and [0, 1]. */
function expectWorse(attack: AttackOutcome, baseline: AttackOutcome): void {
  for (let i = 0; i < images; i++) {
    expect(attack.correct[i], `correct pixels of image ${i}`).toBeLessThan(baseline.correct[i]!);
    expect(attack.loss[i], `loss of image ${i}`).toBeGreaterThan(baseline.loss[i]!);
  }
}
