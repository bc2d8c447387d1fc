/**
 * Learns sensors for MNIST digits and for street scenes: uniform, rectangular and curvilinear layouts with the same number of pixels, several
 * seeds. Finished trainings are kept in results/, so that an interrupted run goes on; several processes may share the seeds.
 *
 * Run from the repository's root: npx tsx experiments/sensor-layout/run.ts [mnist|streets] [seeds]
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { lower } from "../../src/engine/compile/lower.js";
import { createEngine } from "../../src/engine/runtime/node.js";
import { throughSensor } from "../../src/methods/sensor/pipeline.js";
import { sensor } from "../../src/methods/sensor/sensor.js";
import { Batches, collate } from "../../src/methods/training/batch.js";
import { trainingLoss } from "../../src/methods/training/losses.js";
import { adamw } from "../../src/methods/training/optimizers/index.js";
import { predictionStep } from "../../src/methods/training/train-step.js";
import { Trainer } from "../../src/methods/training/trainer.js";
import type { Dataset } from "../../src/vision/data/index.js";
import { writeReport } from "./report.js";
import { type Opened, subjects } from "./subjects.js";
import type { Config, Row, SubjectName, Variant } from "./types.js";

const folder = "experiments/sensor-layout";
const config = JSON.parse(readFileSync(`${folder}/config.json`, "utf8")) as Config;
const names = (Object.keys(config) as SubjectName[]).filter(
  (name) => !Object.keys(config).some((n) => process.argv.includes(n)) || process.argv.includes(name),
);
const only = process.argv
  .slice(2)
  .filter((a) => /^\d+$/.test(a))
  .map(Number);
const engine = await createEngine({ threads: 1 });

for (const name of names) {
  const { sensors, variants, seeds } = config[name];
  const opened = (subjects[name] as (c: unknown) => Opened)(config[name]);
  for (const seed of seeds.filter((s) => only.length === 0 || only.includes(s))) {
    const file = `${folder}/results/${name}-${seed}.json`;
    const rows: Row[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
    for (const size of sensors)
      for (const variant of variants) {
        if (rows.some((r) => r.variant === variant.name && r.sensor.join() === size.join())) continue;
        const row = await train(name, opened, size, variant, seed);
        rows.push(row);
        writeFileSync(file, `${JSON.stringify(rows, undefined, 1)}\n`);
        const { score, theta } = row.course.at(-1)!;
        process.stderr.write(
          `${name} ${size.join("x")} ${variant.name}, seed ${seed}: ${score.toFixed(4)}, θ ${theta.map((v) => v.toFixed(3)).join(" ")}, ${row.seconds} s\n`,
        );
      }
  }
}
await engine.dispose();
await writeReport(folder, config);

async function train(
  subject: SubjectName,
  opened: Opened,
  size: readonly [number, number],
  variant: Variant,
  seed: number,
): Promise<Row> {
  const { batch, steps, learningRate, sensorLearningRate, evaluations } = config[subject];
  const { layout, integration } = variant;
  const began = performance.now();
  const eye = sensor({ layout, height: size[0], width: size[1], ...(integration && { integration }) });
  const network = throughSensor(eye, opened.network, opened.predicts);
  const loss = trainingLoss(opened.task);
  const inputs = { image: [batch, ...opened.image] };
  const trainer = await Trainer.create(engine, {
    network,
    loss,
    optimizer: adamw({ weightDecay: 0 }),
    learningRate,
    schedule: opened.schedule,
    inputs,
    seed,
    groups: eye.layout.parameters.length > 0 ? [{ of: ["sensor.*"], learningRate: sensorLearningRate }] : [],
  });
  const batches = new Batches(opened.training, loss, { size: batch, seed, inputs: ["image"], augmentation: {} });
  const test = await wholeSet(opened.test, loss, opened.task === "classification" ? 100 : 8);
  const model = predictionStep(network, { image: test[0]!.images.image!.shape }, trainer.layout);
  const program = await engine.compile(lower(model, engine.info.provider));
  const evaluate = async () => {
    const predictions = [];
    for (const { images } of test)
      predictions.push((await program.run({ "images.image": images.image!, ...trainer.weights() })).prediction!);
    return opened.score(
      predictions,
      test.map((b) => b.target),
    );
  };
  const course: { step: number; score: number; accuracy: number; theta: number[] }[] = [];
  let classes: number[] | undefined;
  for (let step = 1; step <= steps; step++) {
    await trainer.step([await batches.batch(step - 1)]);
    if (step % Math.ceil(steps / evaluations) !== 0 && step !== steps) continue;
    const measured = await evaluate();
    classes = measured.classes;
    const raw = eye.layout.parameters.length > 0 ? await trainer.parameter("sensor.raw") : undefined;
    const { score, accuracy } = measured;
    course.push({ step, score, accuracy, theta: raw ? eye.thetaOf(raw.data as Float32Array) : [] });
  }
  program.dispose();
  trainer.dispose();
  const seconds = Math.round((performance.now() - began) / 1000);
  return { subject, sensor: size, variant: variant.name, seed, seconds, course, ...(classes && { classes }) };
}

async function wholeSet(dataset: Dataset, loss: ReturnType<typeof trainingLoss>, batch: number) {
  const samples = await Promise.all(Array.from({ length: dataset.length }, (_, i) => dataset.sample(i)));
  return Array.from({ length: samples.length / batch }, (_, i) =>
    collate(samples.slice(i * batch, (i + 1) * batch), loss, ["image"]),
  );
}
