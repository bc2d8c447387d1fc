import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gradients } from "../../../engine/autodiff/gradients.js";
import { Graph } from "../../../engine/graph/graph.js";
import { reduceSum } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { runModel } from "../../../engine/testing/run-model.js";
import { parseModelSpec } from "../../spec/model-spec.js";
import { postprocess } from "../../spec/splice.js";
import { assigned } from "./assign.js";
import { listOf, objectsOf, placedList, state } from "./boxes.js";
import { decode, shown } from "./decode.js";
import { parseYolo, writeYolo } from "./files.js";
import { detection } from "./index.js";
import { DetectionMetric } from "./metric.js";

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../fixtures/metrics/${name}.json`, import.meta.url), "utf8"));

interface MetricCase {
  readonly truth: readonly (readonly number[])[][];
  readonly found: readonly (readonly [number, number, number, number, number, number])[][];
  readonly expected: { mAP: number; mAP50: number; mAP75: number; recall: number; classes: Record<string, number> };
}
const metricCases = fixture("detection") as MetricCase[];

const detectionsOf = (rows: MetricCase["found"][number]) =>
  rows.map(([x1, y1, x2, y2, label, score]) => ({ x1, y1, x2, y2, label, score }));
const truthOf = (rows: readonly (readonly number[])[]) => tensor("float32", [rows.length, 6], rows.flat());

// tools/reference/detection_metric.py
describe("average precision is pycocotools'", () => {
  it.each(metricCases.map((c, i) => [i, c] as const))("case %i: crowds, ties, classes without objects", (_, c) => {
    const metric = new DetectionMetric();
    c.found.forEach((rows, p) => {
      metric.update(detectionsOf(rows), truthOf(c.truth[p]!));
    });
    const { classes, ...result } = metric.result();
    for (const name of ["mAP", "mAP50", "mAP75", "recall"] as const)
      expect(result[name], name).toBeCloseTo(c.expected[name], 12);
    expect(Object.keys(c.expected.classes)).toEqual([...classes.keys()].map(String));
    for (const [k, ap] of classes) expect(ap, `class ${k}`).toBeCloseTo(c.expected.classes[k]!, 12);
  });

  it("is the same from stored samples, and merged from parts", () => {
    const { found, truth } = metricCases[1]!;
    const whole = new DetectionMetric();
    const samples = found.map((rows, p) => whole.update(detectionsOf(rows), truthOf(truth[p]!)));
    const [first, second] = [new DetectionMetric(), new DetectionMetric()];
    samples.forEach((s, i) => {
      (i < 5 ? first : second).restore(JSON.parse(JSON.stringify(s)));
    });
    first.merge(second);
    expect(first.result()).toEqual(whole.result());
  });

  it("knows no number where there is no object, and counts what is shown", () => {
    const metric = new DetectionMetric();
    metric.update([{ x1: 0, y1: 0, x2: 4, y2: 4, label: 0, score: 0.5 }], listOf([]));
    metric.update([], listOf([]));
    const { mAP, boxes, score } = metric.result();
    expect([mAP, boxes, score]).toEqual([Number.NaN, 0.5, 0.5]);
  });

  it("leaves objects that do not count out, each for one box", () => {
    const box = { x1: 0, y1: 0, x2: 10, y2: 10, label: 0 };
    const far = { x1: 50, y1: 50, x2: 60, y2: 60, label: 0 };
    const truth = listOf([{ ...box, state: state.ignored }, far]);
    const precise = (found: readonly number[]) => {
      const metric = new DetectionMetric();
      metric.update(
        [...found.map((score) => ({ ...box, score })), { ...far, score: 0.1 }].sort((a, b) => b.score - a.score),
        truth,
      );
      return metric.result().mAP;
    };
    expect(precise([])).toBeCloseTo(1, 12);
    expect(precise([0.9])).toBeCloseTo(1, 12);
    expect(precise([0.9, 0.8])).toBeCloseTo(0.5, 12);
  });
});

interface HeadCase {
  readonly name: string;
  readonly head: string;
  readonly size: readonly [number, number];
  readonly least: number;
  readonly nms: number;
  readonly outputs: readonly { readonly shape: readonly number[]; readonly data: readonly number[] }[];
  readonly found: readonly (readonly number[])[];
}

// tools/reference/detection_heads.py
describe("what detectors yield becomes the boxes of their own post-processing", () => {
  it.each((fixture("detection-heads") as HeadCase[]).map((c) => [c.name, c] as const))("%s", async (_, c) => {
    const graph = new Graph();
    const names = c.outputs.length === 1 ? ["output0"] : namesOf(c);
    const outputs = c.outputs.map((o, i) => graph.input(names[i]!, "float32", [...o.shape]));
    const spec = parseModelSpec({ task: "detection", output: { head: c.head as "yolov8" } });
    graph.output("p", postprocess([outputs[0]!, ...outputs.slice(1)], spec, c.size));
    const feeds = Object.fromEntries(c.outputs.map((o, i) => [names[i]!, tensor("float32", [...o.shape], [...o.data])]));
    const { p } = await runModel(graph, feeds);
    const prediction = tensor("float32", p!.shape.slice(1), p!.data as Float32Array);
    const found = decode(prediction, { least: c.least, nms: c.nms, most: 100 });
    const [height, width] = c.size;
    const all = c.found.map(([x1, y1, x2, y2, score, label]) => ({
      x1: Math.min(width, Math.max(0, x1!)),
      y1: Math.min(height, Math.max(0, y1!)),
      x2: Math.min(width, Math.max(0, x2!)),
      y2: Math.min(height, Math.max(0, y2!)),
      score: score!,
      label: label!,
    }));
    // torchvision keeps boxes of which nothing is left within the picture
    const rows = all.filter((row) => row.x2 > row.x1 && row.y2 > row.y1);
    expect(found.length).toBe(rows.length);
    for (const row of rows) {
      const same = found.some(
        (d) =>
          d.label === row.label &&
          Math.abs(d.score - row.score) < 1e-4 &&
          (["x1", "y1", "x2", "y2"] as const).every((side) => Math.abs(d[side] - row[side]) < 2e-2),
      );
      expect(same, JSON.stringify(row)).toBe(true);
    }
  });

  /** The boxes of a case are its output whose name says so. */
  const namesOf = ({ head }: HeadCase) => (head === "retinanet" ? ["boxes", "scores"] : ["logits", "pred_boxes"]);
});
