import { argmax } from "../../engine/tensor/arrays.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { encode } from "../data/synthetic/light.js";
import { render } from "../data/synthetic/render.js";
import { shapeKinds } from "../data/synthetic/shapes.js";
import { idOf, imageOf, posesAt, sceneFor } from "../data/synthetic/shots.js";
import { collected, finiteOrNull, inPercent, named } from "../metrics/measure.js";
import { lowestMeanIou, SegmentationMetric, type SegmentationSample } from "../metrics/segmentation.js";
import { hex } from "../render/color.js";
import { renderSegmentation, segmentationLegend } from "../render/segmentation.js";
import { classMeanings, logitsOf, mapOf, resizedTo } from "../spec/output.js";
import { balancedMaskedCrossEntropy, jensenShannon, maskedCrossEntropy, maskedSpherical } from "./class-losses.js";
import { classDivergence, correctClass, counted, crossEntropy, sigmoidAlignment, softmaxAlignment } from "./classes.js";
import { oneClass, predictedLabels } from "./labels.js";
import type { Task } from "./task.js";
import { mean } from "./training.js";

/** A label that the usual data sets give to pixels without truth. */
const ignoreLabel = 255;

/** Semantic segmentation: one label for each pixel. A binary text or mask detector is this too, with two classes (`twoClassLogits`). */
export const segmentation: Task = {
  name: "segmentation",
  predicts: "one class for each pixel",
  roles: ["image"],
  kind: "classes",
  extent: "pixels",
  unit: "class",

  target: ({ shape: [b, , h, w] }) => ({ type: "int64", shape: [b!, h!, w!] }),
  losses: {
    "cross-entropy": crossEntropy,
    "masked-cross-entropy": maskedCrossEntropy,
    "balanced-masked-cross-entropy": balancedMaskedCrossEntropy,
    "jensen-shannon": jensenShannon,
    "masked-spherical": maskedSpherical,
  },
  divergence: classDivergence,
  trainedLosses: { "cross-entropy": mean(crossEntropy) },
  alignments: { softmax: softmaxAlignment, sigmoid: sigmoidAlignment },
  correct: correctClass,
  scale: 1,
  judgedBy: "correct",
  ignore: [ignoreLabel, -1],
  counted: (_, labels, options) => counted(labels, options),
  masked: false,

  pixelUnits: [],
  valuesBetween: "do not exist",
  surround: "mirrored",
  flips: { allowed: ["horizontal", "vertical", "diagonal"] },

  output: {
    meanings: classMeanings,
    fields: [],
    takes: "first",
    read: ([raw], spec, [height, width]) =>
      resizedTo(
        logitsOf(raw, spec, 4, (map) => mapOf(map, spec)),
        height,
        width,
      ),
  },

  measure({ classes, ignore }) {
    const fresh = () => new SegmentationMetric(classes, { ignore });
    return {
      headline: { name: "mIoU", better: "higher", perfect: 1 },
      sample: (z, y, valid) => {
        const detail = fresh().update(argmax(z), y.data as BigInt64Array, valid?.data as Float32Array | undefined);
        return { value: finiteOrNull(detail.mIoU), detail: { confusion: detail.confusion, pixels: detail.pixels } };
      },
      summarize: (samples) => {
        const metric = collected<SegmentationSample, SegmentationMetric>(fresh(), samples);
        const { mIoU, mAcc, aAcc, classes } = metric.result();
        return { mIoU, mAcc, aAcc, ...Object.fromEntries(classes.map(({ iou }, k) => [`IoU class ${k}`, iou])) };
      },
      worst: (choices) =>
        lowestMeanIou(
          choices.map((samples) => samples.map(({ detail }) => detail as SegmentationSample)),
          classes,
        ),
    };
  },
  formats: {
    mIoU: named(
      inPercent,
      "mean over the classes of intersection over union: pixels that are of a class and found, over those that are either",
    ),
    mAcc: named(inPercent, "mean over the classes of the share of their pixels that is found"),
    aAcc: named(inPercent, "share of all pixels that is right"),
    "IoU class": inPercent,
  },
  ownTarget: predictedLabels,
  wish: oneClass("segmentation"),

  draw({ image, before, after, truth, className }) {
    const classes = before.shape[0]!;
    const pixels = before.shape.slice(1);
    const maps = [before, after].map((z) => tensor("int32", pixels, argmax(z)));
    const entries = segmentationLegend(truth ? [...maps, truth] : maps, classes).slice(0, 14);
    const drawn = (labels: Tensor) => renderSegmentation(labels, image, classes);
    return {
      legend: {
        kind: "classes",
        entries: entries.map(({ label, color, share }) => ({ label, name: className(label), color: color && hex(color), share })),
      },
      panels: [
        { name: "before", title: "Prediction, clean", image: drawn(maps[0]!) },
        { name: "after", title: "Prediction, adversarial", image: drawn(maps[1]!) },
        ...(truth ? [{ name: "truth", title: "Ground truth", image: drawn(truth) }] : []),
      ],
    };
  },

  folder: {
    arrangements: [{ inputs: { image: "images" }, labels: "labels" }, { inputs: { image: "" } }],
    labels: { kind: "masks", ignoreLabel },
  },
  // Several shapes; class 0 is the backdrop, 1 + kind the shapes.
  synthetic: {
    classNames: ["background", ...shapeKinds],
    ignoreLabel,
    make(settings, index) {
      const scene = sceneFor(settings, index, { shadow: "soft", content: "several" });
      const view = render(scene, posesAt(scene, 0));
      const classes = scene.layers.map(({ kind }) => (kind === "background" ? 0 : 1 + shapeKinds.indexOf(kind)));
      const labels = Int32Array.from(view.owner, (layer) => classes[layer]!);
      const image = imageOf(scene, encode(view.light));
      return { id: idOf(index), inputs: { image }, target: tensor("int32", [scene.height, scene.width], labels) };
    },
  },
};
