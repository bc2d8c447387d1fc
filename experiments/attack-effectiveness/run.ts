/**
 * Attacks a subject in every setting of config.json and writes its results after every cell; run again, it goes on where it stopped.
 *
 *     npx tsx experiments/attack-effectiveness/run.ts [segmenter|detector]
 */
import { createHash } from "node:crypto";
import { createEngine } from "../../src/engine/runtime/node.js";
import type { Tensor } from "../../src/engine/tensor/tensor.js";
import { type CompiledAscent, compileAscent } from "../../src/methods/attacks/ascent/compile-ascent.js";
import type { AttackBatch } from "../../src/methods/attacks/batch.js";
import { attacks } from "../../src/methods/attacks/catalogue/index.js";
import { type AttackDefinition, ascentOf, attackOf, compileAttack, ownParameters } from "../../src/methods/attacks/definition.js";
import type { AttackOutcome } from "../../src/methods/attacks/outcome.js";
import { SegmentationMetric } from "../../src/vision/metrics/segmentation.js";
import { fraction } from "../shared/fraction.js";
import { config, type Setting, type SubjectName } from "./config.js";
import { type Cell, type Results, readResults, writeResults } from "./results.js";
import { labels, subjects } from "./subject.js";

const iterated = ["pgd", "segpgd", "cospgd", "apgd", "apgd-cospgd"] as const;

const name = (process.argv[2] ?? "segmenter") as SubjectName;
if (!(name in subjects)) throw new Error(`There is no subject "${name}"; choose segmenter or detector.`);
await using engine = await createEngine();
const { modelBytes, classes, ignore, attacked, batches } = await subjects[name](engine);

/** Programs are compiled once for each attack and norm; radius, steps and step size are their inputs. */
const known = new Map<string, CompiledAscent>();
async function compiled(
  attackName: keyof typeof attacks,
  { norm, epsilon, stepSize }: Setting,
  steps: number,
): Promise<CompiledAscent> {
  const restarts = attackName === "noise" ? config.noiseDraws : 1;
  const definition: AttackDefinition = attacks[attackName];
  const parameters = { norm, epsilon: fraction(epsilon), stepSize, steps, restarts };
  const ascent = await ascentOf(attackOf(definition, ownParameters(definition, parameters)));
  const key = `${attackName} ${norm}`;
  const programs = known.get(key) ?? (await compileAscent(engine, ascent, attacked));
  known.set(key, programs);
  return programs.withBudget({
    epsilon: fraction(epsilon),
    stepSize: ascent.budget.stepSize,
    steps: ascent.budget.steps,
    restarts,
  });
}

/** Scores over all batches. */
class Score {
  readonly #metric = new SegmentationMetric(classes, { ignore });
  readonly #losses: number[] = [];

  add(target: Tensor, { prediction, loss }: Pick<AttackOutcome, "prediction" | "loss">): void {
    this.#metric.update(labels(prediction).data, target.data);
    this.#losses.push(...loss);
  }

  result() {
    const { mIoU, mAcc, aAcc } = this.#metric.result();
    const loss = this.#losses.reduce((a, b) => a + b, 0) / this.#losses.length;
    const rounded = (v: number) => Number(v.toFixed(5));
    return { mIoU: rounded(mIoU), mAcc: rounded(mAcc), aAcc: rounded(aAcc), loss: rounded(loss) };
  }
}

async function cleanScore() {
  const attack = await compiled("fgsm", config.settings[name][0]!, 1);
  const score = new Score();
  for (const batch of batches) score.add(batch.target, await attack.evaluate(batch, batch.images));
  return score.result();
}

const model = createHash("sha256").update(modelBytes).digest("hex");
const previous = readResults(name);
const results: Results =
  previous?.model === model ? previous : { model, runtime: engine.info.runtime, clean: await cleanScore(), cells: [] };
console.log(`${name}, clean mIoU ${results.clean.mIoU}`);

interface Run {
  run(batch: AttackBatch): Promise<AttackOutcome>;
}

/** One attack of one setting, seed and number of steps, unless it is in the results already. */
async function cell(attack: string, setting: Setting, steps: number, seed: number, compile: () => Promise<Run>): Promise<void> {
  const { norm, epsilon } = setting;
  const isDone = results.cells.some(
    (c) => c.norm === norm && c.epsilon === epsilon && c.attack === attack && c.steps === steps && c.seed === seed,
  );
  if (isDone) return;
  const score = new Score();
  const runs = await compile();
  for (const batch of batches) score.add(batch.target, await runs.run({ ...batch, seed }));
  const done: Cell = { norm, epsilon, attack, steps, seed, ...score.result() };
  results.cells.push(done);
  console.log(`${norm} ${epsilon} ${attack} ${steps} steps, seed ${seed}: mIoU ${done.mIoU}, aAcc ${done.aAcc}`);
  writeResults(name, results);
}

const single = (attack: keyof typeof attacks, setting: Setting, steps: number, seed: number) =>
  cell(attack, setting, steps, seed, () => compiled(attack, setting, Math.max(1, steps)));

for (const setting of config.settings[name]) {
  const [firstSeed] = setting.seeds;
  for (const seed of setting.seeds) await single("noise", setting, 0, seed);
  await single("fgsm", setting, 1, firstSeed!);
  for (const steps of setting.steps) {
    await single("bim", setting, steps, firstSeed!);
    for (const seed of setting.seeds) for (const attack of iterated) await single(attack, setting, steps, seed);
    // The ensemble takes as long as its members together: one seed, up to 20 steps.
    if (steps > 20) continue;
    const { norm, epsilon, stepSize } = setting;
    const compile = () =>
      compileAttack(engine, attacks.ensemble({ norm, epsilon: fraction(epsilon), stepSize, steps }), attacked);
    await cell("ensemble", setting, steps, firstSeed!, compile);
  }
}
