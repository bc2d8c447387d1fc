import { afterAll, beforeAll, expect, it } from "vitest";
import type { Value } from "../../../engine/graph/graph.js";
import { matMul, reshape } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { createEngine, type Engine } from "../../../index.js";
import { tasks } from "../../../vision/tasks/index.js";
import { apgd, ensemble, pgd, segpgd } from "../catalogue/index.js";
import { compileAttack } from "../definition.js";
import { functionModel } from "../testing/function-model.js";
import { smallBatch, smallModel } from "../testing/small-model.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const options = { norm: "l_inf", epsilon: 8 / 255, steps: 3 } as const;
const classifier = (classes: number) => {
  const random = new Random(4, `${classes}`);
  const weights = tensor(
    "float32",
    [12, classes],
    Float32Array.from({ length: 12 * classes }, () => random.normal(0, 1)),
  );
  return functionModel([1, 3, 2, 2], (image: Value) => matMul(reshape(image, [1, 12]), image.graph.constant(weights)));
};
const batch = {
  images: { image: tensor("float32", [1, 3, 2, 2], new Float32Array(12).fill(0.5)) },
  target: tensor("int64", [1], [0]),
  samples: ["only"],
  seed: 0,
};

it("a loss that needs more classes than there are is refused in a sentence", async () => {
  await expect(compileAttack(engine, apgd({ ...options, loss: "dlr" }), classifier(2))).rejects.toThrow(
    'The loss "dlr" compares the 3 largest logits, and the model has 2 classes; take cross-entropy.',
  );
  await expect(
    compileAttack(engine, pgd({ ...options, loss: "targeted-dlr" }), { ...classifier(3), goal: "targeted" }),
  ).rejects.toThrow('The loss "targeted-dlr" compares the 4 largest logits, and the model has 3 classes; take cross-entropy.');
});

it.each([
  [2, ["cross-entropy"]],
  [3, ["cross-entropy", "dlr"]],
] as const)("an ensemble on %i classes takes the losses that exist", async (classes, losses) => {
  const members = ensemble.members!(ensemble(options).parameters, { task: tasks.classification, goal: "untargeted", classes });
  expect(members.map((m) => m.parameters.loss)).toEqual(losses);
  const compiled = await compileAttack(engine, ensemble(options), classifier(classes));
  const { loss, clean } = await compiled.run(batch);
  compiled.dispose();
  expect(loss[0]!).toBeGreaterThanOrEqual(clean.loss[0]!);
});

it("SegPGD is another attack than PGD in restoration, at the task's own scale", async () => {
  const found = await Promise.all(
    [pgd, segpgd].map(async (attack) => {
      const compiled = await compileAttack(engine, attack({ ...options, randomStart: "none" }), smallModel("restoration"));
      const { images } = await compiled.run(smallBatch("restoration"));
      compiled.dispose();
      return images.image!.data;
    }),
  );
  expect(found[0]).not.toEqual(found[1]);
});
