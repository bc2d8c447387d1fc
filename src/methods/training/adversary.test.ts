import { afterAll, beforeAll, expect, it } from "vitest";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { Random } from "../../engine/tensor/random.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { tasks } from "../../vision/tasks/index.js";
import { attacks } from "../attacks/catalogue/index.js";
import { type AttackDefinition, attackOf, checkAttack, ownParameters } from "../attacks/definition.js";
import { AttackError } from "../attacks/error.js";
import { Adversary } from "./adversary.js";
import { TrainingError } from "./error.js";
import { trainingLoss } from "./losses.js";
import { adamw } from "./optimizers/index.js";
import { smallClassifier } from "./testing/small-network.js";
import { Trainer } from "./trainer.js";

const inputs = { image: [4, 3, 8, 8] };
const loss = trainingLoss("classification");
/** So little of everything that a step is short. */
const little = { steps: 2, queries: 12, samples: 4, constants: 2, variance: 2, translation: 3 };

let engine: Engine;
let trainer: Trainer;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  const options = { network: smallClassifier, loss, optimizer: adamw(), learningRate: 0.01, inputs, seed: 0 };
  trainer = await Trainer.create(engine, options);
});
afterAll(() => engine.dispose());

it.each(Object.values<AttackDefinition>(attacks).map((definition) => [definition.name, definition] as const))(
  "%s attacks half of a batch, on the network as it stands",
  async (_, definition) => {
    const random = new Random(2);
    const image = tensor(
      "float32",
      inputs.image,
      Float32Array.from({ length: 4 * 192 }, () => random.uniform(0, 1)),
    );
    const batch = { images: { image }, target: tensor("int64", [4], [0, 1, 2, 0]) };
    // Smallest perturbations are looked for without a radius, the others within one.
    const own = ownParameters(definition, { ...little, ...(definition.seeks === undefined && { epsilon: 0.1 }) });
    const known = attackOf(definition, {}).parameters;
    const parts = Object.fromEntries(
      Object.entries(own).filter(([name]) => !["variance", "translation"].includes(name) || known[name] !== undefined),
    );
    const attack = attackOf(definition, parts);
    const refused = await checkAttack(attack, { task: tasks.classification, goal: "untargeted" }).catch(
      (error: Error) => error.message,
    );
    const creating = Adversary.create(engine, smallClassifier, loss, inputs, { attack });
    if (refused) return expect(creating).rejects.toThrow(refused);
    const created = await creating.catch((error: Error) => error);
    if (created instanceof Error) {
      // What compares four logits, or is learned on a whole data set first, says so of these batches of three classes.
      expect(created).toBeInstanceOf(definition.fit ? TrainingError : AttackError);
      expect(created.message).toMatch(
        definition.fit
          ? /learns one \w+ for all images .*, and training attacks every batch anew; take another attack/
          : /compares? four logits, and the model has 3 classes/,
      );
      return;
    }
    const adversary = created;
    const [first, again] = [
      await adversary.perturb(batch, trainer.weights(), "1"),
      await adversary.perturb(batch, trainer.weights(), "1"),
    ];
    adversary.dispose();
    const found = first.images.image!.data;
    expect(again.images.image!.data).toEqual(found);
    expect(found.every((v) => v >= 0 && v <= 1)).toBe(true);
    expect(found.slice(2 * 192)).toEqual(image.data.slice(2 * 192));
    // Those that stop at a wrong prediction, or look for the smallest perturbation, may leave images alone.
    if (definition.seeks === undefined && definition.until === undefined && attack.budget.epsilon !== 0)
      expect(found.slice(0, 2 * 192)).not.toEqual(image.data.slice(0, 2 * 192));
    expect(first.target).toBe(batch.target);
  },
);
