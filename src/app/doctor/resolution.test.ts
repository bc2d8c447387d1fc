import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rewrite } from "../../engine/compile/rewrite.js";
import { specialize } from "../../engine/compile/specialize.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { parseModel } from "../../engine/onnx/read.js";
import { concat, conv, mul, sigmoid, softmax } from "../../engine/operators/index.js";
import { Concat } from "../../engine/operators/layout/concat.js";
import { dequantizeLinear } from "../../engine/operators/quantization/dequantize-linear.js";
import { quantizeLinear } from "../../engine/operators/quantization/quantize-linear.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { Random } from "../../engine/tensor/random.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { syntheticDataset } from "../../vision/data/synthetic/dataset.js";
import { type ModelSpecInput, parseModelSpec } from "../../vision/spec/model-spec.js";
import { prepare } from "../attack/prepare.js";
import { checkup } from "./checkup.js";
import type { Finding } from "./finding.js";

const detector = fileURLToPath(new URL("../../../fixtures/models/detector.onnx", import.meta.url));
let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

/** Rounded to 8 bits in these steps, from 0 on. */
function rounded(v: Value, step: number): Value {
  const scale = v.graph.constant(tensor("float32", [], [step]));
  const zero = v.graph.constant(tensor("uint8", [], [0]));
  return dequantizeLinear(quantizeLinear(v, scale, zero), scale, zero);
}

/** The small detector of the tests with its scores, and what its last Concat yields, rounded. */
async function detectorRounded(scores: number, joined?: number): Promise<OnnxModel> {
  const model = parseModel(readFileSync(detector));
  const fixed = await specialize(model, { images: [1, 3, 96, 96] }, (m) => engine.evaluate(m));
  const last = fixed.outputs.get("output0")!.node!;
  expect(last.operator).toBe(Concat);
  return rewrite(fixed, [
    {
      scope: "all",
      apply: (node) => {
        if (node.outputs[0] !== last.outputs[0]) return undefined;
        const parts = node.inputs.map((v) => v!);
        const all = concat([...parts.slice(0, -1), rounded(parts.at(-1)!, scores)], 1);
        return [joined === undefined ? all : rounded(all, joined)];
      },
    },
  ]).build();
}

async function finding(model: OnnxModel, spec: ModelSpecInput, size: number, count = 2): Promise<Finding> {
  const parsed = parseModelSpec(spec);
  const scenes = syntheticDataset({ task: parsed.task, size, length: count, seed: 1 });
  const samples = await Promise.all(
    Array.from({ length: count }, async (_, i) => prepare(await scenes.sample(i), i, ["image"], parsed, { mismatch: "pad" })),
  );
  const found = await checkup(engine, model, parsed, samples);
  return found.find((f) => f.subject === "resolution")!;
}

const ofDetector: ModelSpecInput = { task: "detection", output: { head: "yolov8" } };

describe("a detector that is rounded", () => {
  it("under one scale for boxes and scores: says what is rounded where, and names what came before", async () => {
    const model = await detectorRounded(1 / 255, 96 / 255);
    const { verdict, sentence, flags } = await finding(model, ofDetector, 96);
    expect(verdict, sentence).toBe("wrong");
    expect(sentence).toMatch(/^On these pictures all scores are one of \d values \(0, 0\.376/);
    expect(sentence).toContain("is rounded to 8 bits in steps of 0.376 (from 0 to 96); a Concat brings 5 parts");
    expect(sentence).toContain("nodes_to_exclude");
    // The advice holds: what it names has values enough.
    expect(flags).toEqual(["--of", expect.any(String)]);
    const named = flags![1]!;
    expect(model.graph.nodes.find((n) => n.outputs.includes(named))!.op).toBe("Concat");
    const cut = { ...model, graph: { ...model.graph, outputs: [{ name: named, type: "float32" as const, shape: undefined }] } };
    expect((await finding(cut, ofDetector, 96)).verdict).toBe("good");
  });

  it("so coarsely that all scores are 0", async () => {
    const { verdict, sentence } = await finding(await detectorRounded(1 / 255, 640 / 255), ofDetector, 96);
    expect([verdict, sentence.split(",")[0]]).toEqual(["wrong", "On these pictures all scores are 0"]);
  });

  it("with a scale of their own for the scores: nothing is wrong", async () => {
    const { verdict, sentence } = await finding(await detectorRounded(1 / 255), ofDetector, 96);
    expect(verdict, sentence).toBe("good");
  });
});

/** A map of 5 classes, its end by the caller. */
function segmenter(end: (logits: Value) => Value): OnnxModel {
  const graph = new Graph();
  const random = new Random(1, "weights");
  const weights = Array.from({ length: 5 * 27 }, () => random.uniform(-1, 1));
  const x = graph.input("x", "float32", [1, 3, 32, 32]);
  const weight = graph.constant(tensor("float32", [5, 3, 3, 3], weights));
  graph.output("y", end(conv(x, weight, { pads: [1, 1, 1, 1] })));
  return graph.build();
}

describe("classes of pixels", () => {
  it.each([
    ["logits in fine steps", segmenter((z) => rounded(sigmoid(z), 1 / 255)), "logits", "good"],
    ["probabilities in steps of 1", segmenter((z) => rounded(softmax(mul(z, 0.1), 1), 1)), "probabilities", "wrong"],
    ["logits in steps of 20", segmenter((z) => rounded(z, 20)), "logits", "wrong"],
  ] as const)("%s", async (_, model, meaning, expected) => {
    const { verdict, sentence } = await finding(model, { task: "segmentation", output: { meaning } }, 32);
    expect(verdict, sentence).toBe(expected);
    if (expected === "wrong")
      expect(sentence).toMatch(/two classes or more share the largest value, because "\S+" is rounded to 8 bits/);
  });
});
