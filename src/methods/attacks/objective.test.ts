import { afterAll, beforeAll, expect, it } from "vitest";
import { mul, sub } from "../../engine/operators/index.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { counted, crossEntropy, pick } from "../../vision/tasks/classes.js";
import type { AttackedModel } from "./attacked-model.js";
import { compileObjective, type Objective } from "./objective.js";
import { leftHalf, smallBatch, smallModel } from "./testing/small-model.js";
import { transforms } from "./transforms/index.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const loss: Objective = ({ prediction, target, options }) => crossEntropy(prediction, target, options);

async function at(attacked: AttackedModel, objective: Objective, batch = smallBatch(attacked.task.name), also = {}) {
  const compiled = await compileObjective(engine, attacked, objective);
  const found = await compiled.at(batch, batch.images, also, "0/0");
  compiled.dispose();
  return found;
}

it.each(["classification", "segmentation"] as const)("%s: gradients are those of each sample's own value", async (task) => {
  const [attacked, batch] = [smallModel(task), smallBatch(task)];
  const compiled = await compileObjective(engine, attacked, loss);
  const image = batch.images.image!;
  const { value, gradient, loss: plain } = await compiled.at(batch, batch.images);
  expect(Array.from(plain)).toEqual(Array.from(value));
  for (const i of [0, 17, 200, 240, 333, 479]) {
    const moved = async (by: number) => {
      const data = image.data.map((v, k) => (k === i ? v + by : v));
      return (await compiled.at(batch, { image: { ...image, data } })).value[i < 240 ? 0 : 1]!;
    };
    const slope = ((await moved(0.02)) - (await moved(-0.02))) / 0.04;
    expect(Math.abs(gradient.image!.data[i]! - slope)).toBeLessThan(2e-2 * Math.max(Math.abs(slope), 2e-3));
  }
  compiled.dispose();
});

it("a batch in parts, and an image in tiles that see all of it, give what one graph gives", async () => {
  const attacked = { ...smallModel("segmentation"), valid: true };
  const batch = smallBatch("segmentation");
  const given = { ...batch, valid: tensor("float32", [2, 8, 10], new Float32Array(160).fill(1)) };
  const whole = await at(attacked, loss, given);
  const { predictor } = attacked;
  const one = { ...predictor, images: { image: [1, 3, 8, 10] } };
  const parts = await at({ ...attacked, predictor: one, batch: 2 }, loss, given);
  const tiling = { height: 8, width: 10, overlap: 2 };
  const tiles = await at({ ...attacked, tiled: { tiling, height: 8, width: 10 } }, loss, given);
  for (const other of [parts, tiles]) {
    near(other.value, whole.value);
    near(other.gradient.image!.data, whole.gradient.image!.data);
    near(other.prediction.data, whole.prediction.data);
  }
});

it("takes a further input like the target, and several draws of a transform", async () => {
  const difference: Objective = ({ prediction, target, options, also }) =>
    mul(sub(pick(prediction, also("rival")), pick(prediction, target)), counted(target, options));
  const [attacked, batch] = [smallModel("classification"), smallBatch("classification")];
  const rival = tensor("int64", [2], [3, 1]);
  const found = await at(attacked, difference, batch, { rival });
  const [logits, labels] = [found.prediction.data, Array.from(batch.target.data as BigInt64Array, Number)];
  found.value.forEach((v, b) => {
    expect(v).toBeCloseTo(logits[b * 4 + [3, 1][b]!]! - logits[b * 4 + labels[b]!]!, 5);
  });
  const blurred = { ...attacked, transform: transforms["gaussian-noise"](3) };
  const [first, second] = [await at(blurred, difference, batch, { rival }), await at(blurred, difference, batch, { rival })];
  expect(first.gradient.image!.data).toEqual(second.gradient.image!.data);
  expect(first.value).not.toEqual(found.value);
});

it("moves nothing outside the region, and counts what is 0 or no number", async () => {
  const attacked = { ...smallModel("classification"), region: true };
  const found = await at(attacked, loss, smallBatch("classification", { region: leftHalf }));
  found.gradient.image!.data.forEach((v, i) => {
    if (i % 10 >= 5) expect(v).toBe(0);
  });
  expect(Array.from(found.zeroGradient)).toEqual([0, 0]);
  const broken: Objective = (given) => mul(loss(given), given.prediction.graph.constant(tensor("float32", [2], [0, Number.NaN])));
  const { zeroGradient, nanGradient, gradient } = await at(smallModel("classification"), broken);
  expect([zeroGradient[0], nanGradient[0]]).toEqual([1, 0]);
  expect(nanGradient[1]).toBeCloseTo(1, 5);
  expect(gradient.image!.data.every((v) => v === 0)).toBe(true);
});

function near(found: Tensor["data"], wanted: Tensor["data"]): void {
  const [a, b] = [found as Float32Array, wanted as Float32Array];
  const scale = b.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  expect(a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0)).toBeLessThanOrEqual(1e-5 * scale);
}
