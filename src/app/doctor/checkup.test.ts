import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph, type Value } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import {
  add,
  concat,
  depthToSpace,
  div,
  log,
  mul,
  neg,
  reduceMean,
  reduceSum,
  round,
  sigmoid,
  slice,
  softmax,
  spaceToDepth,
  sub,
  transpose,
} from "../../engine/operators/index.js";
import { Dropout } from "../../engine/operators/layout/dropout.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { Random } from "../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { type ModelSpecInput, parseModelSpec } from "../../vision/spec/model-spec.js";
import type { Prepared } from "../attack/prepare.js";
import { checkup } from "./checkup.js";

const [height, width] = [16, 24];
// Shades of the same hue, so that the range of the values matters.
const colors = [
  [0.85, 0.2, 0.15],
  [0.4, 0.1, 0.1],
  [0.15, 0.3, 0.8],
  [0.3, 0.3, 0.3],
  [0.75, 0.75, 0.7],
];

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

/** Patches of five colors with noise; the label is the color's number. */
function scenes(label: (color: number, pixel: number) => number = (k) => k): Prepared[] {
  return Array.from({ length: 4 }, (_, index) => {
    const random = new Random(3, `scene ${index}`);
    const image = tensor("float32", [3, height, width]);
    const labels: number[] = [];
    const patch = Array.from({ length: 6 }, () => random.integer(colors.length));
    for (let i = 0; i < height * width; i++) {
      const color = patch[Math.floor((i % width) / 8) + 3 * Math.floor(i / width / 8)]!;
      labels.push(label(color, i));
      for (let c = 0; c < 3; c++) image.data[c * height * width + i] = colors[color]![c]! + random.uniform(-0.06, 0.06);
    }
    return prepared(index, { image }, tensor("int64", [height, width], labels));
  });
}

const prepared = (index: number, images: Prepared["images"], target: Tensor | undefined): Prepared => ({
  index,
  id: `scene ${index}`,
  images,
  target,
  valid: undefined,
  height,
  width,
});

/** Nearest color as a network: logits -40 ‖x - c_k‖² for an image fed in [0, 1]. */
function nearestColor(x: Value): Value {
  const logits = colors.map((c) => {
    const d = sub(x, x.graph.constant(tensor("float32", [1, 3, 1, 1], c)));
    return mul(reduceSum(mul(d, d), [1], "keep"), -40);
  });
  return concat(logits, 1);
}

function model(body: (x: Value) => Value): OnnxModel {
  const graph = new Graph();
  graph.output("y", body(graph.input("x", "float32", [1, 3, height, width])));
  const built = graph.build();
  // As exporters write models for any size.
  return {
    ...built,
    graph: {
      ...built.graph,
      inputs: built.graph.inputs.map((i) => ({ ...i, shape: ["n", 3, "h", "w"] })),
      outputs: built.graph.outputs.map((o) => ({ ...o, shape: undefined })),
      valueInfo: new Map(),
    },
  };
}

const constants = (x: Value, values: readonly number[]) => x.graph.constant(tensor("float32", [1, 3, 1, 1], [...values]));
/** Takes what a model trained with the given range is fed back to [0, 1]. */
const trainedWith: Record<string, (x: Value) => Value> = {
  "0..1": (x) => x,
  "0..255": (x) => div(x, 255),
  "-1..1": (x) => mul(add(x, 1), 0.5),
  imagenet: (x) => add(mul(x, constants(x, [0.229, 0.224, 0.225])), constants(x, [0.485, 0.456, 0.406])),
};
const swap = (x: Value) =>
  concat(
    [2, 1, 0].map((c) => slice(x, [c], [c + 1], { axes: [1] })),
    1,
  );

interface Case {
  readonly name: string;
  readonly model: OnnxModel;
  readonly spec?: Partial<ModelSpecInput>;
  readonly samples?: Prepared[];
  /** Flags that must be recommended, and nothing else. */
  readonly flags: readonly string[];
  /** Subjects that must be wrong; default none beyond those with flags. */
  readonly wrong?: readonly string[];
}

const cases: Case[] = [
  { name: "nothing", model: model(nearestColor), flags: [] },
  ...["0..255", "-1..1", "imagenet"].map((range) => ({
    name: `range ${range}`,
    model: model((x) => nearestColor(trainedWith[range]!(x))),
    flags: ["--range", range],
  })),
  {
    name: "range 0..1 where imagenet is said",
    model: model(nearestColor),
    spec: { range: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } },
    flags: ["--range", "0..1"],
  },
  { name: "channel order", model: model((x) => nearestColor(swap(x))), flags: ["--channels", "bgr"] },
  {
    name: "range and channel order at once",
    model: model((x) => nearestColor(swap(trainedWith["0..255"]!(x)))),
    flags: ["--range", "0..255", "--channels", "bgr"],
  },
  { name: "labels from 1", model: model(nearestColor), samples: scenes((k) => k + 1), flags: ["--label-offset", "-1"] },
  {
    name: "an offset that is wrong",
    model: model(nearestColor),
    spec: { labelOffset: 1 },
    flags: ["--label-offset", "0"],
  },
  { name: "probabilities", model: model((x) => softmax(nearestColor(x), 1)), flags: ["--meaning", "probabilities"] },
  {
    name: "logits where probabilities are said",
    model: model(nearestColor),
    spec: { output: { meaning: "probabilities" } },
    flags: ["--meaning", "logits"],
  },
  {
    name: "one channel of probabilities",
    model: model((x) => sigmoid(mul(sub(slice(x, [0], [1], { axes: [1] }), 0.6), 60))),
    samples: scenes((k) => (k === 0 || k === 4 ? 1 : 0)),
    flags: ["--meaning", "binary-probabilities"],
  },
  {
    name: "axes of the output",
    model: model((x) => transpose(nearestColor(x), [0, 2, 3, 1])),
    flags: ["--output-layout", "nhwc"],
  },
  {
    name: "unlabeled pixels marked 99",
    model: model(nearestColor),
    samples: scenes((k, i) => (i % 20 === 0 ? 99 : k)),
    flags: ["--ignore", "255,-1,99"],
  },
  {
    name: "sizes",
    model: model((x) => depthToSpace(spaceToDepth(nearestColor(x), 8), 8)),
    flags: ["--size-rule", "multiple:8"],
  },
  {
    name: "an output that is always the same",
    model: model((x) => mul(nearestColor(x), 0)),
    flags: [],
    wrong: ["variety", "gradient"],
  },
  {
    name: "not a number",
    model: model((x) => nearestColor(log(neg(add(x, 1))))),
    flags: [],
    wrong: ["numbers", "variety", "gradient"],
  },
  {
    name: "images that are rounded on the way",
    model: model((x) => nearestColor(div(round(mul(x, 255)), 255))),
    flags: [],
    wrong: ["gradient"],
  },
  {
    name: "flow in units of 20 pixels",
    model: twoImages((a, b) => slice(sub(a, b), [0], [2], { axes: [1] })),
    spec: { task: "flow" },
    samples: pairs(20),
    flags: ["--output-scale", "20"],
  },
  {
    name: "inverse depth that is read as depth",
    model: model((x) => add(reduceMean(x, [1], "keep"), 0.1)),
    spec: { task: "depth" },
    samples: depths(),
    flags: ["--meaning", "inverse-depth"],
  },
  {
    name: "inverse depth that is read as such",
    model: model((x) => add(reduceMean(x, [1], "keep"), 0.1)),
    spec: { task: "depth", output: { meaning: "inverse-depth" } },
    samples: depths(),
    flags: [],
  },
  {
    name: "a restored image of 0..255",
    model: model((x) => mul(x, 255)),
    spec: { task: "restoration" },
    samples: scenes().map((s) => ({ ...s, target: s.images.image })),
    flags: ["--output-range", "0..255"],
  },
];

function twoImages(body: (a: Value, b: Value) => Value): OnnxModel {
  const graph = new Graph();
  const [a, b] = ["a", "b"].map((name) => graph.input(name, "float32", [1, 3, height, width]));
  graph.output("y", body(a!, b!));
  return graph.build();
}

/** As far as a picture is dark. */
function depths(): Prepared[] {
  return scenes().map((s, i) => {
    const area = height * width;
    const { data } = s.images.image!;
    const depth = Float32Array.from(
      { length: area },
      (_, p) => 1 / ((data[p]! + data[area + p]! + data[2 * area + p]!) / 3 + 0.1),
    );
    return prepared(i, s.images, tensor("float32", [1, height, width], depth));
  });
}

function pairs(scale: number): Prepared[] {
  const scene = scenes();
  return scene.map((s, i) => {
    const [image1, image2] = [s.images.image!, scene[(i + 1) % scene.length]!.images.image!];
    const flow = image1.data.slice(0, 2 * height * width).map((v, p) => scale * (v - image2.data[p]!));
    return prepared(i, { image1, image2 }, tensor("float32", [2, height, width], flow));
  });
}

describe("the doctor finds what was made wrong on purpose, and nothing else", () => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", async (_, { model: m, spec, samples, flags, wrong }) => {
    const findings = await checkup(engine, m, parseModelSpec({ task: "segmentation", ...spec }), samples ?? scenes());
    const shown = findings.map((f) => `${f.verdict} ${f.subject}: ${f.sentence}`).join("\n");
    expect(
      findings.flatMap((f) => f.flags ?? []),
      shown,
    ).toEqual(flags);
    if (wrong)
      expect(
        findings.filter((f) => f.verdict === "wrong").map((f) => f.subject),
        shown,
      ).toEqual(expect.arrayContaining([...wrong]));
    else expect(findings.filter((f) => f.verdict === "wrong").length, shown).toBe(flags.length / 2);
  });

  it("says that predictions differ from run to run where the model draws numbers", async () => {
    const dropping = model((x) => {
      const { graph } = x;
      const [half, training] = [graph.constant(tensor("float32", [], [0.5])), graph.constant(tensor("bool", [], [1]))];
      return graph.add(Dropout, [nearestColor(x), half, training], {}, { name: "drop" })[0]!;
    });
    const findings = await checkup(engine, dropping, parseModelSpec({ task: "segmentation" }), scenes());
    expect(findings.filter((f) => f.subject === "repeats")).toMatchObject([
      { verdict: "unsure", sentence: expect.stringMatching(/^Dropout "drop" draws new numbers in each run/) },
    ]);
  });

  it("says without labels what it can and no more", async () => {
    const blind = scenes().map((s) => ({ ...s, target: undefined }));
    const findings = await checkup(engine, model(nearestColor), parseModelSpec({ task: "segmentation" }), blind);
    expect(findings.filter((f) => f.verdict === "wrong")).toEqual([]);
    expect(findings.at(-1)!.sentence).toMatch(/Without labels/);
  });
});
