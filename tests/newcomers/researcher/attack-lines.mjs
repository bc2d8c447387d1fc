// Attacks PP-OCR's direction classifier on five upright and five upside-down lines of text, and keeps what was found.
import { readdirSync } from "node:fs";
import { attack, cospgd, loadModel, readImage, resizeImage, stack, tensor, unstack, writeImage, writeTensors } from "faultline";

const files = ["upright", "upside-down"].flatMap((name, label) =>
  readdirSync(`lines/${name}`)
    .sort()
    .slice(0, 5)
    .map((file) => ({ path: `lines/${name}/${file}`, label })),
);
const images = stack(await Promise.all(files.map(async ({ path }) => resizeImage(await readImage(path), 48, 192))));
const labels = files.map(({ label }) => label);

const model = await loadModel("direction.onnx"); // direction.spec.json lies beside it
const steps = [];
const result = await attack(model, images, labels, cospgd({ epsilon: 8 / 255, steps: 5 }), {
  batch: 4,
  onProgress: ({ done, total, step }) => steps.push(`${done}/${total}:${step}`),
});

await writeTensors(
  "lines.npz",
  new Map([
    ["images", images],
    ["labels", tensor("int64", [labels.length], labels)],
  ]),
);
await writeTensors("adversarial.npy", new Map([["images", result.images]]));
await writeImage("first.png", unstack(result.images, 0));
console.log(
  JSON.stringify({
    before: result.before.metrics,
    after: result.after.metrics,
    success: result.success,
    perturbation: result.perturbation,
    warnings: result.warnings,
    steps,
  }),
);
await model.dispose();
