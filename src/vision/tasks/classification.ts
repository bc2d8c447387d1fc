import type { Value } from "../../engine/graph/graph.js";
import {
  add,
  cast,
  clip,
  div,
  isNan,
  mul,
  neg,
  reduceMax,
  slice,
  squeeze,
  sub,
  topK,
  where,
} from "../../engine/operators/index.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { shapeKinds } from "../data/synthetic/shapes.js";
import { idOf, photograph, posesAt, sceneFor } from "../data/synthetic/shots.js";
import { ClassificationMetric, type ClassificationSample } from "../metrics/classification.js";
import { collected, inPercent, named } from "../metrics/measure.js";
import { topClasses } from "../render/classification.js";
import { classMeanings, logitsOf } from "../spec/output.js";
import { jensenShannon } from "./class-losses.js";
import {
  classDivergence,
  correctClass,
  counted,
  crossEntropy,
  oneHot,
  pick,
  sigmoidAlignment,
  softmaxAlignment,
} from "./classes.js";
import { oneClass, predictedLabels } from "./labels.js";
import type { PixelFunction, Task } from "./task.js";
import { mean } from "./training.js";

/** The largest `count` logits, descending, as separate [B] values. */
function largest(z: Value, count: number): Value[] {
  const [values] = topK(z, count, 1);
  return Array.from({ length: count }, (_, i) => squeeze(slice(values!, [i], [i + 1], { axes: [1] }), [1]));
}

/** max_{i≠y} z_i - z_y: positive where misclassified (Carlini & Wagner 2017, section IV-A, f_6; Square's loss). Needs 2 classes. */
const margin: PixelFunction = (z, y, options) => mul(sub(strongestRival(z, y), pick(z, y)), counted(y, options));

const strongestRival = (z: Value, y: Value): Value => largest(where(oneHot(y, z.shape[1]!), -1e30, z), 1)[0]!;

/** Difference of logits ratio (Croce & Hein 2020, eq. 6): -(z_y - max_{i≠y} z_i) / (z_π1 - z_π3). Positive where misclassified. Needs 3 classes. */
const dlr: PixelFunction = (z, y, options) => {
  const [first, , third] = largest(z, 3);
  const lead = sub(pick(z, y), strongestRival(z, y));
  return mul(neg(div(lead, clip(sub(first!, third!), 1e-12))), counted(y, options));
};

/**
 * Targeted difference of logits ratio (Croce & Hein 2020, eq. 7): -(z_t - max_{i≠t} z_i) / (z_π1 - (z_π3 + z_π4) / 2) for the wanted class t. The
 * paper subtracts the true class's logit; a targeted attack here knows its target alone and subtracts the strongest rival, which is the true
 * class until the image is won. Needs 4 classes.
 */
const targetedDlr: PixelFunction = (z, t, options) => {
  const [first, , third, fourth] = largest(z, 4);
  const spread = sub(first!, mul(add(third!, fourth!), 0.5));
  return mul(neg(div(sub(pick(z, t), strongestRival(z, t)), clip(spread, 1e-12))), counted(t, options));
};

const atLeast = (leastClasses: number, loss: PixelFunction): PixelFunction => Object.assign(loss, { leastClasses });

/** One class for each picture. */
export const classification: Task = {
  name: "classification",
  predicts: "one class for each picture",
  roles: ["image"],
  kind: "classes",
  extent: "image",
  unit: "class",

  target: ({ shape }) => ({ type: "int64", shape: [shape[0]!] }),
  losses: {
    "cross-entropy": crossEntropy,
    dlr: atLeast(3, dlr),
    "targeted-dlr": atLeast(4, targetedDlr),
    "jensen-shannon": jensenShannon,
    margin: atLeast(2, margin),
  },
  divergence: classDivergence,
  trainedLosses: { "cross-entropy": mean(crossEntropy) },
  alignments: { softmax: softmaxAlignment, sigmoid: sigmoidAlignment },
  // Scores that hold something that is not a number are wrong, whatever is the largest of the rest: so it is in the metric, too.
  correct: (z, y, options) => mul(correctClass(z, y, options), sub(1, reduceMax(cast(isNan(z), "float32"), [1], "drop"))),
  scale: 1,
  judgedBy: "correct",
  ignore: [],
  counted: (_, labels, options) => counted(labels, options),
  masked: false,

  pixelUnits: [],
  valuesBetween: "do not exist",
  surround: "mirrored",
  flips: { allowed: ["horizontal", "vertical", "diagonal"] },

  output: { meanings: classMeanings, fields: [], takes: "first", read: ([raw], spec) => logitsOf(raw, spec, 2) },

  measure: () => ({
    headline: { name: "top-1", better: "higher", perfect: 1 },
    sample: (z, y) => {
      const detail = new ClassificationMetric().update(z.data as Float32Array, y.data[0] as bigint);
      return { value: detail.rank < 1 ? 1 : 0, detail };
    },
    summarize: (samples) => {
      const { top1, top5 } = collected<ClassificationSample, ClassificationMetric>(new ClassificationMetric(), samples).result();
      return { "top-1": top1, "top-5": top5 };
    },
  }),
  formats: {
    "top-1": named(inPercent, "share of pictures whose class comes first"),
    "top-5": named(inPercent, "share of pictures whose class is among the first five"),
  },
  ownTarget: predictedLabels,
  wish: oneClass("classification"),

  draw({ before, after, truth, target, className }) {
    const kind = (label: number) =>
      truth && Number(truth.data[0]) === label ? "true" : target && Number(target.data[0]) === label ? "wanted" : "other";
    const guesses = (z: Tensor) =>
      topClasses(z, 5).map((g) => ({ ...g, name: className(g.label), kind: kind(g.label) as "true" }));
    return {
      legend: undefined,
      panels: [
        { name: "before", title: "Prediction, clean", guesses: guesses(before) },
        { name: "after", title: "Prediction, adversarial", guesses: guesses(after) },
        ...(truth ? [{ name: "truth", title: "Ground truth", note: className(Number(truth.data[0])) }] : []),
      ],
    };
  },

  folder: { arrangements: [{ inputs: { image: "images" } }, { inputs: { image: "" } }], labels: { kind: "list" } },
  // One large shape; the class is its kind, so that every eight samples are balanced.
  synthetic: {
    classNames: shapeKinds,
    make(settings, index) {
      const kind = index % settings.kinds.length;
      const scene = sceneFor(settings, index, { shadow: "soft", content: settings.kinds[kind]! });
      return { id: idOf(index), inputs: { image: photograph(scene, posesAt(scene, 0)) }, target: tensor("int64", [], [kind]) };
    },
  },
};
