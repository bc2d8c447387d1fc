import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gradients } from "../../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import {
  cast,
  concat,
  div,
  gatherElements,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  sigmoid,
  slice,
  softmax,
  split,
  sqrt,
  sub,
  topK,
  transpose,
  unsqueeze,
} from "../../../engine/operators/index.js";
import { dequantizeLinear } from "../../../engine/operators/quantization/dequantize-linear.js";
import { quantizeLinear } from "../../../engine/operators/quantization/quantize-linear.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { runModel } from "../../../engine/testing/run-model.js";
import { shapeKinds } from "../../data/synthetic/shapes.js";
import { parseModelSpec } from "../../spec/model-spec.js";
import { postprocess } from "../../spec/splice.js";
import { assigned } from "./assign.js";
import { listOf, objectsOf, placedList, state } from "./boxes.js";
import { decode, shown } from "./decode.js";
import { parseYolo, writeYolo } from "./files.js";
import { recognized } from "./heads/index.js";
import { detection } from "./index.js";
import { lookAtHead } from "./look.js";
import { DetectionMetric } from "./metric.js";

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../fixtures/metrics/${name}.json`, import.meta.url), "utf8"));

interface MetricCase {
  readonly truth: readonly (readonly number[])[][];
  readonly found: readonly (readonly [number, number, number, number, number, number])[][];
  readonly expected: Record<string, number> & { readonly classes: Record<string, number> };
}
const metricCases = fixture("detection") as MetricCase[];

const detectionsOf = (rows: MetricCase["found"][number]) =>
  rows.map(([x1, y1, x2, y2, label, score]) => ({ x1, y1, x2, y2, label, score }));
const truthOf = (rows: readonly (readonly number[])[]) => tensor("float32", [rows.length, rows[0]?.length ?? 6], rows.flat());

// tools/reference/detection_metric.py
describe("average precision and recall are pycocotools'", () => {
  it.each(metricCases.map((c, i) => [i, c] as const))("case %i: crowds, ties, classes without objects, sizes", (_, c) => {
    const metric = new DetectionMetric();
    const samples = c.found.map((rows, p) => metric.update(detectionsOf(rows), truthOf(c.truth[p]!)));
    const found = detection.measure({ classes: 4, ignore: [] }).summarize(samples.map((detail) => ({ value: null, detail })));
    const { classes, ...expected } = c.expected;
    // -1 there: no object is of the size
    for (const [name, value] of [
      ...Object.entries(expected),
      ...Object.entries(classes).map(([k, v]) => [`AP class ${k}`, v] as const),
    ])
      if (value === -1) expect(found[name], name).toBeNaN();
      else expect(found[name], name).toBeCloseTo(value as number, 12);
    expect(Object.keys(found).filter((name) => name.startsWith("AP "))).toEqual(Object.keys(classes).map((k) => `AP class ${k}`));
  });

  it("goes by what an object covers, cut and scaled with its picture", () => {
    const list = listOf([{ x1: 0, y1: 0, x2: 40, y2: 40, label: 1, covers: 900 }]);
    expect([list.shape, objectsOf(list)[0]!.covers]).toEqual([[1, 7], 900]);
    const half = placedList(list, { scale: { x: 2, y: 2 }, shift: { x: -40, y: 0 }, size: { height: 100, width: 100 } });
    expect(objectsOf(half)).toEqual([{ x1: 0, y1: 0, x2: 40, y2: 80, label: 1, state: state.object, covers: 1800 }]);
    const sizeOf = (truth: Tensor) => {
      const metric = new DetectionMetric();
      metric.update([{ x1: 0, y1: 0, x2: 40, y2: 40, label: 1, score: 1 }], truth);
      return Object.entries(metric.result().recallOf)
        .filter(([, v]) => v === 1)
        .map(([name]) => name);
    };
    expect(sizeOf(list)).toEqual(["small"]);
    expect(sizeOf(listOf([{ x1: 0, y1: 0, x2: 40, y2: 40, label: 1 }]))).toEqual(["medium"]);
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

  it("YOLOv8's boxes and scores before their Concat are read as what it joins, in either order", async () => {
    const graph = new Graph();
    const all = graph.input("all", "float32", [1, 6, 7]);
    const [boxes, scores] = [slice(all, [0], [4], { axes: [1] }), slice(all, [4], [6], { axes: [1] })];
    const spec = parseModelSpec({ task: "detection", output: { head: "yolov8" } });
    const forms = { joined: [all], parts: [boxes, scores], swapped: [scores, boxes] } as const;
    for (const [name, outputs] of Object.entries(forms)) graph.output(name, postprocess([...outputs], spec, [64, 64]));
    expect(
      recognized([
        { name: "a", shape: boxes.shape, activation: "none" },
        { name: "b", shape: scores.shape, activation: "sigmoid" },
      ])?.name,
    ).toBe("yolov8");
    const random = new Random(4, "parts");
    const values = Float32Array.from({ length: 42 }, (_, i) => (i < 28 ? random.uniform(5, 40) : random.uniform(0.1, 0.9)));
    const out = await runModel(graph, { all: tensor("float32", [1, 6, 7], values) });
    expect(out.parts).toEqual(out.joined);
    expect(out.swapped).toEqual(out.joined);
  });

  it("scores that can only be probabilities are read as such, whatever made them, and rounded ones as they are rounded", async () => {
    const graph = new Graph();
    const [boxes, z] = [graph.input("boxes", "float32", [1, 5, 4]), graph.input("z", "float32", [1, 5, 3])];
    const scale = graph.constant(tensor("float32", [], [1 / 255]));
    const zero = graph.constant(tensor("uint8", [], [0]));
    const rounded = (v: Value) => dequantizeLinear(quantizeLinear(v, scale, zero), scale, zero);
    // FCOS' scores; a sigmoid in steps of 1 / 255; a softmax in such.
    const centered = sqrt(mul(sigmoid(z), sigmoid(z)));
    const forms = { centered, rounded: rounded(sigmoid(z)), softmax: rounded(softmax(z, 2)), exact: softmax(z, 2) };
    for (const [name, scores] of Object.entries(forms)) {
      const head = scores === forms.softmax || scores === forms.exact ? "ssd" : "retinanet";
      graph.output(
        name,
        slice(postprocess([scores, boxes], parseModelSpec({ task: "detection", output: { head } }), [64, 64]), [4], [6], {
          axes: [1],
        }),
      );
    }
    const random = new Random(4, "scores");
    const values = Float32Array.from({ length: 15 }, () => random.normal(0, 2));
    const out = await runModel(graph, {
      boxes: tensor("float32", [1, 5, 4], new Float32Array(20).fill(3)),
      z: tensor("float32", [1, 5, 3], values),
    });
    const scoresOf = (name: string) => Array.from(toNumbers(out[name]!), (l) => 1 / (1 + Math.exp(-l)));
    const wanted = Array.from({ length: 10 }, (_, i) => 1 / (1 + Math.exp(-values[3 * (i % 5) + Math.floor(i / 5)]!)));
    scoresOf("centered").forEach((s, i) => {
      expect(s).toBeCloseTo(wanted[i]!, 5);
    });
    scoresOf("rounded").forEach((s, i) => {
      expect(s).toBeCloseTo(Math.round(255 * wanted[i]!) / 255, 5);
    });
    const exact = scoresOf("exact");
    scoresOf("softmax").forEach((s, i) => {
      expect(Math.abs(s - exact[i]!)).toBeLessThan(0.01);
    });
  });

  it("scores may have the classes first, and be made by a softmax over either axis", async () => {
    const graph = new Graph();
    const [boxes, z] = [graph.input("boxes", "float32", [1, 5, 4]), graph.input("z", "float32", [1, 5, 3])];
    const spec = parseModelSpec({ task: "detection", output: { head: "ssd" } });
    const swapped = (v: Value) => transpose(v, [0, 2, 1]);
    const forms = { logits: z, after: softmax(z, 2), turned: swapped(softmax(z, 2)), over: softmax(swapped(z), 1) };
    for (const [name, scores] of Object.entries(forms)) graph.output(name, postprocess([scores, boxes], spec, [64, 64]));
    const random = new Random(4, "scores");
    const out = await runModel(graph, {
      boxes: tensor(
        "float32",
        [1, 5, 4],
        Float32Array.from({ length: 20 }, (_, i) => (i % 4 < 2 ? 3 : 30) + random.uniform(0, 9)),
      ),
      z: tensor(
        "float32",
        [1, 5, 3],
        Float32Array.from({ length: 15 }, () => random.normal(0, 3)),
      ),
    });
    for (const name of ["after", "turned", "over"])
      out[name]!.data.forEach((v, i) => {
        expect(Number(v), name).toBeCloseTo(Number(out.logits!.data[i]), 4);
      });
    expect(out.logits!.shape).toEqual([1, 6, 5]);
  });

  /** The boxes of a case are its output whose name says so. */
  const namesOf = ({ head }: HeadCase) => (head === "retinanet" ? ["boxes", "scores"] : ["logits", "pred_boxes"]);
});

/** Two classes at three places: a sure disc, an unsure square, nothing. */
const places = {
  boxes: [
    [0, 0, 10, 10],
    [20, 0, 30, 10],
    [40, 40, 50, 50],
  ],
  logits: [
    [3, -2],
    [-1, 0.5],
    [-4, -5],
  ],
} as const;
const prediction = tensor(
  "float32",
  [6, 3],
  [
    ...[0, 1, 2, 3].flatMap((side) => places.boxes.map((b) => Number(b[side]))),
    ...[0, 1].flatMap((k) => places.logits.map((z) => Number(z[k]))),
  ],
);
const truth = listOf([
  { x1: 0, y1: 0, x2: 10, y2: 8, label: 0 },
  { x1: 26, y1: 0, x2: 36, y2: 10, label: 1 },
]);

describe("what of a list belongs to each place", () => {
  it("is what overlaps it by half, and for each object at least one place", () => {
    const target = assigned(truth, prediction);
    const row = (k: number) => Array.from(target.data.slice(3 * k, 3 * k + 3));
    // The square's own box overlaps it by a quarter only, but no place does by more.
    expect(row(5)).toEqual([state.object, state.object, state.nothing]);
    expect(row(4)).toEqual([0, 1, -1]);
    expect(row(0)).toEqual([0, 26, 0]);
  });

  it("is nothing that counts within a crowd, and a wish everywhere else", () => {
    const list = listOf([
      { x1: 0, y1: 0, x2: 12, y2: 12, label: 0, state: state.crowd },
      { x1: 0, y1: 0, x2: 0, y2: 0, label: 1, state: state.everywhere },
    ]);
    const target = assigned(list, prediction);
    expect(Array.from(target.data.slice(15))).toEqual([state.crowd, state.everywhere, state.everywhere]);
  });
});

describe("losses at each place", () => {
  const softplus = (z: number) => Math.log1p(Math.exp(z));
  async function evaluate(name: string, list: Tensor) {
    const graph = new Graph();
    const p = graph.input("p", "float32", [1, 6, 3]);
    const y = graph.input("y", "float32", [1, 6, 3]);
    const options = { ignore: [], scale: detection.scale };
    const loss = detection.losses[name]!(p, y, options);
    const alignment = detection.alignments.scores!;
    graph.output("loss", loss);
    graph.output("dp", gradients(reduceSum(loss), [p])[0]!);
    graph.output("correct", detection.correct(p, y, options));
    graph.output("cosine", alignment.cosine(p, y, options));
    graph.output("complement", alignment.complement(p, y, options));
    const feeds = {
      p: tensor("float32", [1, 6, 3], prediction.data as Float32Array),
      y: tensor("float32", [1, 6, 3], assigned(list, prediction).data),
    };
    const out = await runModel(graph, feeds);
    return Object.fromEntries(Object.entries(out).map(([key, t]) => [key, Array.from(toNumbers(t))])) as Record<string, number[]>;
  }

  it("training: cross-entropies of the classes, and what boxes lack", async () => {
    const { loss, correct, cosine, complement } = await evaluate("training", truth);
    const [first, second, third] = places.logits.map(([a, b]) => softplus(a) + softplus(b)) as [number, number, number];
    expect(loss![0]).toBeCloseTo(first - 3 + (1 - 0.8), 5);
    expect(loss![1]).toBeCloseTo(second - 0.5 + (1 - 40 / 160), 5);
    expect(loss![2]).toBeCloseTo(third, 6);
    expect(correct).toEqual([1, 1, 1]);
    cosine!.forEach((c, i) => expect(c + complement![i]!).toBeCloseTo(1, 5));
    const [s, t] = [3, -2].map((z) => 1 / (1 + Math.exp(-z))) as [number, number];
    expect(cosine![0]).toBeCloseTo(s / Math.hypot(s, t, 1 - s), 5);
  });

  it("towards nothing every score is wrong, and towards objects everywhere every place", async () => {
    expect((await evaluate("training", listOf([]))).correct).toEqual([0, 0, 1]);
    const flood = listOf([{ x1: 0, y1: 0, x2: 0, y2: 0, label: -1, state: state.everywhere }]);
    const { loss, correct } = await evaluate("training", flood);
    expect(correct).toEqual([1, 1, 0]);
    expect(loss![2]).toBeCloseTo(softplus(-4) + softplus(-5) + 4, 5);
  });

  it.each(["training", "vanish", "flood", "class", "box"])("%s: its gradient is that of finite differences", async (name) => {
    const { dp, loss } = await evaluate(name, truth);
    const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    const data = prediction.data as Float32Array;
    const step = 1 / 64;
    let moved = 0;
    for (const at of [0, 3, 7, 9, 12, 13, 16]) {
      const kept = data[at]!;
      data[at] = kept + step;
      // What belongs to each place stays that of the clean prediction.
      const above = await evaluateAt(name, data);
      data[at] = kept - step;
      const below = await evaluateAt(name, data);
      data[at] = kept;
      const slope = (total(above) - total(below)) / (2 * step);
      expect(dp![at], `${at}`).toBeCloseTo(slope, 2);
      if (Math.abs(slope) > 1e-4) moved++;
    }
    expect(moved).toBeGreaterThan(0);
    expect(loss!.every(Number.isFinite)).toBe(true);
  });

  const fixed = assigned(truth, prediction).data.slice();
  async function evaluateAt(name: string, data: Float32Array): Promise<number[]> {
    const graph = new Graph();
    const [p, y] = [graph.input("p", "float32", [1, 6, 3]), graph.input("y", "float32", [1, 6, 3])];
    graph.output("loss", detection.losses[name]!(p, y, { ignore: [], scale: 0.25 }));
    const { loss } = await runModel(graph, {
      p: tensor("float32", [1, 6, 3], data.slice()),
      y: tensor("float32", [1, 6, 3], fixed as Float32Array),
    });
    return Array.from(toNumbers(loss!));
  }
});

it("the doctor finds DETR's boxes and logits among its outputs", () => {
  const values = (columns: number, value: (k: number) => number) => [
    tensor(
      "float32",
      [1, 5, columns],
      Float32Array.from({ length: 5 * columns }, (_, i) => value(i % columns)),
    ),
  ];
  const outputs = [
    { name: "logits", values: values(9, (k) => (k === 8 ? 3 : 0)) },
    { name: "pred_boxes", values: values(4, (k) => [0.6, 0.7, 0.2, 0.1][k]!) },
    { name: "last_hidden_state", values: values(32, (k) => k) },
  ];
  const found = lookAtHead(outputs, parseModelSpec({ task: "detection" }));
  expect(found.map(({ verdict, sentence }) => `${verdict} ${sentence.split(":")[0]}`)).toEqual([
    "good detr",
    "good cxcywh-normalized",
  ]);
});

describe("wishes, geometry, files", () => {
  const output = { meaning: "boxes" };
  const wish = async (word: string) => {
    const make = await detection.wish.read(word, async () => tensor("float32", [3, 1, 1]), ["disc", "square"]);
    return objectsOf(make(prediction, output)).map(({ x1, label, state: kind }) => [x1, label, kind]);
  };

  it("are made from what the model sees", async () => {
    expect(shown(prediction, undefined).map((d) => d.label)).toEqual([0, 1, 0]);
    expect(await wish("vanish")).toEqual([]);
    expect(await wish("flood:square")).toEqual([[0, 1, state.everywhere]]);
    expect(await wish("class:1")).toEqual([
      [0, 1, 1],
      [20, 1, 1],
      [20, 1, 1],
    ]);
    expect((await wish("shift"))[0]).toEqual([5, 0, 1]);
    await expect(wish("class")).rejects.toThrow(/detection takes/);
    await expect(wish("flood:circle")).rejects.toThrow(/there is no class "circle"/);
    await expect(wish("toString")).rejects.toThrow(/detection takes/);
  });

  it("boxes follow a picture that is scaled and cropped, and leave it with their objects", () => {
    const placed = placedList(truth, { scale: { x: 2, y: 1 }, shift: { x: -30, y: 0 }, size: { height: 8, width: 30 } });
    expect(objectsOf(placed)).toEqual([{ x1: 22, y1: 0, x2: 30, y2: 8, label: 1, state: 1 }]);
  });

  it("YOLO's lines come back", () => {
    const size = { height: 40, width: 80 };
    const bytes = writeYolo(truth, size);
    expect(new TextDecoder().decode(bytes)).toBe("0 0.0625 0.1 0.125 0.2\n1 0.3875 0.125 0.125 0.25\n");
    expect(parseYolo(bytes, size)).toEqual(truth);
    const parse = (text: string) => parseYolo(new TextEncoder().encode(text), size);
    expect(() => parse("0 0.5 0.5 0.1 0.1\n1 20 30 5 5")).toThrow(/line 2 .* shares of the picture/);
    expect(() => parse("cat 0.5 0.5 0.1 0.1")).toThrow(/line 1 .* "class x y width height" belongs/);
  });

  it("random scenes lie within their pictures, and a box is as tight as its shape", async () => {
    const settings = { task: "detection", width: 64, height: 48, length: 1, seed: 3, displacement: 0.08, subframes: 9 } as const;
    const { target } = detection.synthetic.make(
      { ...settings, averaging: "light", kinds: shapeKinds },
      new Random(1, "scene").integer(9),
    );
    const objects = objectsOf(target!);
    expect(objects.length).toBeGreaterThan(3);
    for (const o of objects) expect(o.x1 >= 0 && o.y1 >= 0 && o.x2 <= 64 && o.y2 <= 48 && o.x2 > o.x1).toBe(true);
  });
});

/** The end of YOLOv10 and YOLO26 as they are exported: the best places by TopK over their surest class, the best of all their classes, and Gather of what they have. */
function chosenOf(joined: Value, most: number): Value {
  const rows = transpose(joined, [0, 2, 1]);
  const classes = rows.shape[2]! - 4;
  const [boxes, scores] = split(rows, 2, [4, classes]) as [Value, Value];
  const expanded = (index: Value, width: number) =>
    concat(
      Array.from({ length: width }, () => unsqueeze(index, [2])),
      2,
    );
  const [, first] = topK(reduceMax(scores, [2], "drop"), most, 1);
  const best = reshape(gatherElements(scores, expanded(first, classes), 1), [1, most * classes]);
  const [score, at] = topK(best, most, 1);
  const count = joined.graph.constant(tensor("int64", [1], [classes]));
  const place = gatherElements(first, div(at, count), 1);
  const label = unsqueeze(cast(sub(at, mul(div(at, count), count)), "float32"), [2]);
  return concat([gatherElements(boxes, expanded(place, 4), 1), unsqueeze(score, [2]), label], 2);
}

describe("heads that choose within the graph", () => {
  const [places, classes, most] = [30, 3, 8];
  const random = new Random(3, "chosen");
  const corners = Array.from({ length: places }, () => [random.uniform(0, 30), random.uniform(0, 30)]);
  const feeds = {
    boxes: tensor(
      "float32",
      [1, 4, places],
      [0, 1, 2, 3].flatMap((k) => corners.map((c) => c[k % 2]! + (k < 2 ? 0 : 20))),
    ),
    logits: tensor(
      "float32",
      [1, classes, places],
      Float32Array.from({ length: classes * places }, () => random.normal(-2, 2)),
    ),
  };
  const build = (choose: (joined: Value) => Value) => {
    const graph = new Graph();
    const logits = graph.input("logits", "float32", [1, classes, places]);
    const chosen = choose(concat([graph.input("boxes", "float32", [1, 4, places]), sigmoid(logits)], 1));
    return { graph, logits, chosen };
  };
  const spec = (output: object = {}) => parseModelSpec({ task: "detection", output });

  it("are read before the choice: the surest are what the model itself gives, and every score has a gradient", async () => {
    const { graph, logits, chosen } = build((joined) => chosenOf(joined, most));
    const p = postprocess([chosen], spec(), [64, 64]);
    expect(p.shape).toEqual([1, 4 + classes, places]);
    const [slope] = gradients(reduceSum(p), [logits]) as [Value];
    graph.output("chosen", chosen);
    graph.output("p", p);
    graph.output("slope", slope);
    const out = await runModel(graph, feeds);
    const own = Array.from({ length: most }, (_, i) => Array.from(out.chosen!.data.slice(6 * i, 6 * i + 6), Number));
    const prediction = tensor("float32", [4 + classes, places], out.p!.data as Float32Array);
    const found = decode(prediction, { least: 1e-6, nms: 1, most });
    expect(found.map((d) => d.label)).toEqual(own.map((row) => row[5]));
    found.forEach((d, i) => {
      [d.x1, d.y1, d.x2, d.y2, d.score].forEach((v, k) => {
        expect(v, `box ${i}`).toBeCloseTo(own[i]![k]!, 4);
      });
    });
    // The logits themselves, from before the sigmoid: not one is saturated.
    expect(toNumbers(out.slope!)).toEqual(new Array(classes * places).fill(1));
  });

  it("are read as well where there are no more places than are chosen", async () => {
    const { graph, chosen } = build((joined) => chosenOf(joined, places));
    graph.output("p", postprocess([chosen], spec(), [64, 64]));
    const { p } = await runModel(graph, feeds);
    expect(toNumbers(p!).slice(4 * places)).toEqual(toNumbers(feeds.logits));
  });

  it("are refused where no way leads back", () => {
    const { chosen } = build((joined) => slice(transpose(joined, [0, 2, 1]), [0], [6], { axes: [2] }));
    expect(() => postprocess([chosen], spec({ head: "yolov10" }), [64, 64])).toThrow(
      /holds boxes that the model chose itself.*name all boxes \[batch, places, 4\] and scores .* with --of BOXES,SCORES/,
    );
  });

  it("boxes and probabilities in one output are RT-DETR's where places are few, YOLOv5's where they are many", () => {
    const named = (shape: number[]) => recognized([{ name: "output0", shape, activation: "none" }])?.name;
    expect([named([1, 300, 84]), named([1, 25200, 85]), named([1, 300, 6]), named([1, 25200, 6]), named([1, 84, 8400])]).toEqual([
      ...["rt-detr", "yolov5", "yolov10", "yolov5", "yolov8"],
    ]);
    const graph = new Graph();
    const both = concat([graph.input("b", "float32", [1, 300, 4]), sigmoid(graph.input("l", "float32", [1, 300, 9]))], 2);
    expect(postprocess([both], spec(), [64, 64]).shape).toEqual([1, 13, 300]);
  });
});
