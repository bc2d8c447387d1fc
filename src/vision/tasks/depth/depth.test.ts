import { describe, expect, it } from "vitest";
import { gradients } from "../../../engine/autodiff/gradients.js";
import { Graph } from "../../../engine/graph/graph.js";
import { reduceSum } from "../../../engine/operators/index.js";
import { tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { runModel } from "../../../engine/testing/run-model.js";
import { DataError } from "../../data/error.js";
import { decodePng } from "../../data/formats/png.js";
import { syntheticDataset } from "../../data/synthetic/dataset.js";
import { parseModelSpec } from "../../spec/model-spec.js";
import { postprocess } from "../../spec/splice.js";
import { parseDepthPng, writeDepthPng } from "./files.js";
import { depth } from "./index.js";
import { DepthMetric } from "./metric.js";

const area = 24;
const frac = (x: number) => x - Math.floor(x);
const values = (make: (i: number) => number) => Float32Array.from({ length: 2 * area }, (_, i) => make(i));
const prediction = values((i) => 0.7 + 3 * frac(i * 0.6180339887));
const truth = values((i) => 0.9 + 4 * frac(i * 0.7548776662));
const valid = values((i) => (i % 5 === 2 ? 0 : 1));

async function evaluate(name: string) {
  const graph = new Graph();
  const p = graph.input("p", "float32", [2, 1, 4, 6]);
  const y = graph.input("y", "float32", [2, 1, 4, 6]);
  const v = graph.input("v", "float32", [2, 4, 6]);
  const loss = depth.losses[name]!(p, y, { ignore: [], valid: v, scale: depth.scale });
  graph.output("loss", loss);
  graph.output("dp", gradients(reduceSum(loss), [p])[0]!);
  const out = await runModel(graph, {
    p: tensor("float32", [2, 1, 4, 6], prediction),
    y: tensor("float32", [2, 1, 4, 6], truth),
    v: tensor("float32", [2, 4, 6], valid),
  });
  return { loss: toNumbers(out.loss!), dp: toNumbers(out.dp!) };
}

const sums = (loss: ArrayLike<number>) =>
  [0, 1].map((b) =>
    Array.from(loss)
      .slice(b * area, (b + 1) * area)
      .reduce((s, x) => s + x, 0),
  );

// The numbers below are those of PyTorch 2.15 in float64: torch.linalg.lstsq for scale and shift, autograd, numpy.median, the formulas written out.
describe("losses of depth", () => {
  it("scale- and shift-invariant: the residual of the least-squares fit of inverse depth, and its gradient", async () => {
    const { loss, dp } = await evaluate("scale-and-shift-invariant");
    expect(sums(loss)[0]).toBeCloseTo(0.7464374782, 5);
    expect(sums(loss)[1]).toBeCloseTo(0.2711010332, 5);
    [0.1673008361, 0.0278918524, 0, 0.0002566332].forEach((x, i) => expect(loss[i]).toBeCloseTo(x, 6));
    [0.047063228, -0.0014434141, 0, 0.0000848664].forEach((x, i) => expect(dp[i]).toBeCloseTo(x, 6));
  });

  it("scale-invariant in logarithms: its mean over the valid pixels is the published formula", async () => {
    const { loss } = await evaluate("scale-invariant-log");
    const counts = [0, 1].map((b) => valid.slice(b * area, (b + 1) * area).reduce((s, x) => s + x, 0));
    expect(sums(loss)[0]! / counts[0]!).toBeCloseTo(0.5905202654, 5);
    expect(sums(loss)[1]! / counts[1]!).toBeCloseTo(0.4427336452, 5);
  });

  it("the residual alignment is cos 45° at a factor of 1.25, where a pixel stops being right", async () => {
    const graph = new Graph();
    const p = graph.input("p", "float32", [1, 1, 1, 4]);
    const y = graph.input("y", "float32", [1, 1, 1, 4]);
    const options = { ignore: [], scale: depth.scale };
    graph.output("cosine", depth.alignments.residual!.cosine(p, y, options));
    graph.output("complement", depth.alignments.residual!.complement(p, y, options));
    graph.output("right", depth.correct(p, y, options));
    const out = await runModel(graph, {
      p: tensor("float32", [1, 1, 1, 4], [2, 2.5, 2.49, 1.62]),
      y: tensor("float32", [1, 1, 1, 4], [2, 2, 2, 2]),
    });
    expect(out.cosine!.data[0]).toBe(1);
    expect(out.cosine!.data[1]).toBeCloseTo(Math.SQRT1_2, 5);
    for (const i of [0, 1, 2, 3]) expect(Number(out.cosine!.data[i]) + Number(out.complement!.data[i])).toBeCloseTo(1, 5);
    expect([...(out.right!.data as Float32Array)].filter((_, i) => i !== 1)).toEqual([1, 1, 1]);
  });
});

describe("metrics of depth", () => {
  const keys = ["absRel", "sqRel", "rmse", "rmseLog", "delta1", "delta2", "delta3"] as const;
  const none = [
    [0.632843989, 1.1728935793, 1.6376184946, 0.7774510587, 0.1578947368, 0.4736842105, 0.6315789474],
    [0.4662449489, 0.8745290938, 1.7134240368, 0.7377134559, 0.2105263158, 0.4210526316, 0.5789473684],
  ];
  const median = [0.6269318669, 1.148813293, 1.6361016679, 0.7810684711, 0.1578947368, 0.4736842105, 0.6315789474];
  const onDepth = [0.55025052, 0.7677781485, 1.1356750278, 0.5256468879, 0.4210526316, 0.6315789474, 0.7368421053];
  const onInverse = [0.4622156236, 0.5920828999, 1.294415627, 0.5354919777, 0.2631578947, 0.4210526316, 0.6842105263];
  const part = (v: Float32Array, b: number) => v.subarray(b * area, (b + 1) * area);

  it.each([
    ["none", "depth", none[0]!],
    ["median", "depth", median],
    ["least-squares", "depth", onDepth],
    ["least-squares", "inverse-depth", onInverse],
  ] as const)("aligned by %s on %s", (align, meaning, expected) => {
    const sample = new DepthMetric({ align, meaning }).update(part(prediction, 0), part(truth, 0), part(valid, 0));
    keys.forEach((key, k) => expect(sample[key], key).toBeCloseTo(expected[k]!, 7));
    expect(sample.pixels).toBe(19);
  });

  it("are means over the images, in whatever order they come", () => {
    const metric = new DepthMetric();
    const whole = [1, 0].map((b) => metric.update(part(prediction, b), part(truth, b), part(valid, b)));
    keys.forEach((key, k) => expect(metric.result().perSample[key], key).toBeCloseTo((none[0]![k]! + none[1]![k]!) / 2, 7));
    const restored = new DepthMetric();
    for (const sample of whole.toReversed()) restored.restore(sample);
    expect(restored.result()).toEqual(metric.result());
  });

  it("do not change with the unit of a model that is aligned", () => {
    const inKilometers = part(prediction, 0).map((p) => p / 1000);
    const [a, b] = [part(prediction, 0), inKilometers].map((p) =>
      new DepthMetric({ align: "median" }).update(p, part(truth, 0), part(valid, 0)),
    );
    keys.forEach((key) => expect(b![key]).toBeCloseTo(a![key], 4));
  });

  it("count a prediction that is not a number as beyond every threshold, and leave out where the truth is 0", () => {
    const sample = new DepthMetric().update([Number.NaN, 2, 7], [2, 2, 0]);
    expect([sample.pixels, sample.delta1, sample.delta3]).toEqual([2, 0.5, 0.5]);
  });
});

describe("what a model of depth yields", () => {
  const read = async (output: object, raw: readonly number[]) => {
    const graph = new Graph();
    const spec = parseModelSpec({ task: "depth", output });
    graph.output("y", postprocess([graph.input("z", "float32", [1, 1, 1, 2])], spec, [1, 2]));
    const { y } = await runModel(graph, { z: tensor("float32", [1, 1, 1, 2], raw) });
    return Array.from(y!.data as Float32Array);
  };

  it("depth in a unit, or its inverse, which ends at 10 km", async () => {
    expect(await read({ scale: 10 }, [0.5, 2])).toEqual([5, 20]);
    expect(await read({ meaning: "inverse-depth" }, [0.5, 4])).toEqual([2, 0.25]);
    expect((await read({ meaning: "inverse-depth" }, [-1, 1e-9]))[0]).toBeCloseTo(1e4, 0);
  });

  it("is refused where it says what means nothing for depth", () => {
    expect(() => parseModelSpec({ task: "depth", output: { meaning: "logits" } })).toThrow(
      /output.meaning: must be one of depth, inverse-depth for depth, not "logits"/,
    );
    expect(() => parseModelSpec({ task: "depth", ignore: [255], labelOffset: 1 })).toThrow(
      /ignore: depth has no labels; leave it out; labelOffset: depth has no labels/,
    );
    expect(() => parseModelSpec({ task: "segmentation", output: { align: "median" } })).toThrow(
      /output.align: has no effect for segmentation/,
    );
  });
});

describe("files and scenes of depth", () => {
  it.each(["millimeters", "kitti"] as const)("16-bit PNG in %s comes back, 0 where unknown", (unit) => {
    const known = { target: tensor("float32", [1, 1, 3], [1.5, 0, 60]), valid: tensor("bool", [1, 3], [1, 0, 1]) };
    const bytes = writeDepthPng(known, unit);
    expect([...decodePng(bytes).data]).toEqual(unit === "kitti" ? [384, 0, 15360] : [1500, 0, 60000]);
    expect(parseDepthPng(bytes, unit)).toEqual(known);
  });

  it("refuses what 16 bits do not hold", () => {
    const far = { target: tensor("float32", [1, 1, 1], [70]), valid: tensor("bool", [1, 1], [1]) };
    expect(() => writeDepthPng(far, "millimeters")).toThrow(DataError);
    expect(() => writeDepthPng(far, "millimeters")).toThrow(/70 m is beyond what a 16-bit PNG holds, 65\.5 m/);
  });

  it("has scenes from 1.4 to 10 m whose floor comes nearer downwards", async () => {
    const { target, valid } = await syntheticDataset({ task: "depth", size: 64, length: 3, seed: 1 }).sample(2);
    const d = target!.data as Float32Array;
    expect(d.every((v) => v > 1.4 && v <= 10.001)).toBe(true);
    expect(valid!.data.every((v) => v === 1)).toBe(true);
    expect(Math.max(...d)).toBeGreaterThan(7);
    expect(Math.min(...d)).toBeLessThan(3);
    const corners = [d[0]!, d[63 * 64]!];
    expect(corners[1]).toBeLessThan(corners[0]!);
  });
});

describe("what an attacker may wish for", () => {
  it("one distance in meters", async () => {
    const make = await depth.wish.read("2.5", async () => tensor("float32", [3, 1, 1]));
    expect(make(tensor("float32", [1, 1, 2]), { meaning: "depth" })).toEqual(tensor("float32", [1, 1, 2], [2.5, 2.5]));
    await expect(depth.wish.read("near", async () => tensor("float32", [3, 1, 1]))).rejects.toThrow(
      /a distance in meters above 0/,
    );
  });
});
