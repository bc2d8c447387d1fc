/** One picture of an attack: input, prediction, gradient; attacked input, perturbation, prediction. */
import { readFileSync } from "node:fs";
import sharp from "sharp";
import { lower } from "../src/engine/compile/lower.js";
import { reduceSum, relu, slice, sub } from "../src/engine/operators/index.js";
import { createEngine, Graph, gradients, readModel, type Tensor } from "../src/index.js";
import { samplesFromImage } from "../src/vision/data/image.js";
import { readImage } from "../src/vision/data/node/image-file.js";
import { renderSaliency } from "../src/vision/render/index.js";
import { modelPredictor } from "../src/vision/spec/model-predictor.js";
import { parseModelSpec } from "../src/vision/spec/model-spec.js";

export interface Overview {
  readonly model: string;
  readonly spec: string;
  /** Folder of the report's pictures. */
  readonly report: string;
  /** The sample's number in file names. */
  readonly sample: string;
  /** File to write. */
  readonly overview: string;
}

/** Where the pictures lie on overview-frame.png, which has the captions. */
const panel = { width: 480, height: 264, across: 488, down: 320, margin: 24 };

export async function drawOverview({ model, spec, report, sample, overview }: Overview): Promise<void> {
  const file = (name: string) => `${report}/${sample}.${name}.png`;
  const clean = await readImage(file("clean"));
  const saliency = samplesFromImage(renderSaliency(await textGradient(model, spec, clean), { radius: 3 }));
  const { width, height, channels, data } = saliency;
  const pictures = [
    sharp(file("clean")),
    sharp(file("before")),
    sharp(data, { raw: { width, height, channels } }),
    sharp(file("adversarial")),
    sharp(file("perturbation")),
    sharp(file("after")),
  ];
  const layers = pictures.map(async (picture, i) => ({
    input: await picture.resize(panel.width, panel.height, { fit: "fill" }).png().toBuffer(),
    left: panel.margin + (i % 3) * panel.across,
    top: panel.margin + Math.floor(i / 3) * panel.down,
  }));
  await sharp("examples/overview-frame.png")
    .toColourspace("srgb")
    .composite(await Promise.all(layers))
    .png({ compressionLevel: 9, palette: true, quality: 90 })
    .toFile(overview);
}

/** The gradient of all the evidence for text in the picture, Σ max(0, z_text - z_background), with respect to the picture. */
async function textGradient(modelFile: string, specFile: string, clean: Tensor<"float32">): Promise<Tensor> {
  await using engine = await createEngine();
  const [, height, width] = clean.shape as [number, number, number];
  const spec = parseModelSpec(JSON.parse(readFileSync(specFile, "utf8")));
  const predictor = await modelPredictor(await readModel(modelFile), spec, { batch: 1, height, width }, engine.evaluate);

  const graph = new Graph();
  const image = graph.input("image", "float32", [1, 3, height, width]);
  const prediction = predictor.predict(graph, { image });
  const logits = (k: number) => slice(prediction, [k], [k + 1], { axes: [1] });
  const [gradient] = gradients(reduceSum(relu(sub(logits(1), logits(0)))), [image]);
  graph.output("gradient", gradient!);

  const program = await engine.compile(lower(graph, engine.info.provider));
  const result = await program.run({ image: { ...clean, shape: [1, ...clean.shape] } });
  return { ...result.gradient!, shape: clean.shape };
}
