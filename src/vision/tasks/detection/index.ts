import { add, clip, concat, mul, slice } from "../../../engine/operators/index.js";
import { shapeKinds } from "../../data/synthetic/shapes.js";
import { anAmount, collected, finiteOrNull, inPercent, inUnit, named } from "../../metrics/measure.js";
import type { Task } from "../task.js";
import { assigned } from "./assign.js";
import { listOf, placedList } from "./boxes.js";
import { decode, measured, shown, shownFrom, suppression } from "./decode.js";
import { drawBoxes } from "./draw.js";
import { parseYolo, writeYolo } from "./files.js";
import { checkHead, chosenAtRunTime, headOf, heads, readBoxes, recognizedInFile, recognizedInValues } from "./heads/index.js";
import { lookAtHead } from "./look.js";
import { box, correct, counted, flood, label, scoreAlignment, training, vanish } from "./losses.js";
import { DetectionMetric, type DetectionSample } from "./metric.js";
import { detectionScene } from "./synthetic.js";
import { wishes } from "./wishes.js";

/**
 * Object detection. A prediction is [B, 4 + K, N]: for each of N places where the model looks a box (x1, y1, x2, y2 in pixels of the picture) and K
 * logits whose sigmoid is a class's score, before non-maximum suppression. Truth is a list [M, 6] for each picture (`listOf`); `assigned` lays
 * it on the places.
 */
export const detection: Task = {
  name: "detection",
  predicts: "a box and a class for each object",
  roles: ["image"],
  kind: "boxes",
  extent: "objects",
  unit: "score from which a box counts as seen",

  target: ({ shape: [b, , n] }) => ({ type: "float32", shape: [b!, 6, n!] }),
  losses: { training, vanish, flood, class: label, box },
  trainedLosses: {},
  alignments: { scores: scoreAlignment },
  correct,
  scale: shownFrom,
  judgedBy: "loss",
  ignore: [],
  counted,
  masked: false,

  pixelUnits: [],
  valuesBetween: "do not exist",
  placed: {
    truth: placedList,
    prediction: (prediction, { scale, shift, size }) => {
      const row = (k: number, axis: "x" | "y", most: number) =>
        clip(add(mul(slice(prediction, [k], [k + 1], { axes: [1] }), scale[axis]), shift[axis]), 0, most);
      const logits = slice(prediction, [4], [prediction.shape[1]!], { axes: [1] });
      const { height, width } = size;
      return concat([row(0, "x", width), row(1, "y", height), row(2, "x", width), row(3, "y", height), logits], 1);
    },
  },
  // What YOLO's letterbox has around a picture; mirror images of objects would be objects.
  surround: 114 / 255,
  flips: { allowed: [], because: "a detector is not trained here" },

  output: {
    meanings: ["boxes"],
    fields: ["head", "boxes", "nms"],
    takes: "all",
    heads: heads.map((head) => head.name),
    headAlike: (name) => headOf(name)?.alike,
    recognize: recognizedInFile,
    recognizeRead: recognizedInValues,
    checkHead,
    unshaped: chosenAtRunTime,
    look: lookAtHead,
    read: (outputs, spec, size) => readBoxes(outputs, spec, size),
  },

  measure: ({ output }) => {
    const options = { ...measured, nms: suppression(output) };
    return {
      headline: { name: "mAP", better: "higher", perfect: 1 },
      sample: (prediction, truth) => {
        const metric = new DetectionMetric();
        const detail = metric.update(decode(prediction, options), truth);
        return { value: finiteOrNull(metric.result().mAP), detail };
      },
      summarize: (samples) => {
        const result = collected<DetectionSample, DetectionMetric>(new DetectionMetric(), samples).result();
        const { mAP, mAP50, mAP75, mAPOf, recall, recallAt, recallOf, boxes, score, classes } = result;
        const each = [...classes].map(([k, value]) => [`AP class ${k}`, value] as const);
        return {
          ...{ mAP, mAP50, mAP75, "mAP small": mAPOf.small, "mAP medium": mAPOf.medium, "mAP large": mAPOf.large },
          ...{ "recall@1": recallAt[1], "recall@10": recallAt[10], recall },
          ...{ "recall small": recallOf.small, "recall medium": recallOf.medium, "recall large": recallOf.large },
          ...{ boxes, score, ...Object.fromEntries(each) },
        };
      },
    };
  },
  // Real detectors have 0.5 to 0.7 on COCO; fed wrongly they find next to nothing.
  quality: {
    name: "mAP50",
    least: 0.1,
    of: (samples) => {
      const { mAP50 } = collected<DetectionSample, DetectionMetric>(new DetectionMetric(), samples).result();
      return Number.isNaN(mAP50) ? 0 : mAP50;
    },
  },
  formats: {
    mAP: named(inPercent, "mean average precision over the classes, at overlaps from 0.5 to 0.95, as the COCO benchmark has it"),
    mAP50: named(inPercent, "mean average precision over the classes at an overlap of 0.5"),
    mAP75: named(inPercent, "mean average precision over the classes at an overlap of 0.75"),
    "mAP small": named(inPercent, "mAP of objects of up to 32² square pixels alone"),
    "mAP medium": named(inPercent, "mAP of objects of 32² to 96² square pixels alone"),
    "mAP large": named(inPercent, "mAP of objects from 96² square pixels on alone"),
    "recall@1": named(inPercent, "recall by the surest box of each class and picture alone"),
    "recall@10": named(inPercent, "recall by the 10 surest boxes of each class and picture alone"),
    recall: named(inPercent, "share of the objects that is found, mean over the classes and overlaps from 0.5 to 0.95"),
    "recall small": named(inPercent, "recall of objects of up to 32² square pixels alone"),
    "recall medium": named(inPercent, "recall of objects of 32² to 96² square pixels alone"),
    "recall large": named(inPercent, "recall of objects from 96² square pixels on alone"),
    boxes: anAmount(inUnit(1), "boxes a picture with a score of at least 0.25"),
    score: anAmount(inPercent, "mean score of those boxes"),
    "AP class": inPercent,
  },
  ownTarget: (prediction, output) => listOf(shown(prediction, output)),
  nothingSeen: ({ boxes }) =>
    boxes === 0
      ? `the model sees nothing in the pictures as they are (no box has a score of ${shownFrom} or more), so nothing can vanish, move or turn; faultline doctor looks at how it is fed`
      : boxes! >= measured.most
        ? `the model sees ${measured.most} boxes with a score of ${shownFrom} or more in every picture as it is, and more are not counted, so a flood cannot show; faultline doctor looks at how it is fed`
        : undefined,
  assigned,
  targetMeaning:
    "for each place x1, y1, x2, y2 in pixels, class, and 1 where it is about an object (its clean box overlaps the object's by at least 0.5); elsewhere 0, 0, 0, 0, -1, 0",
  wish: wishes,

  draw: drawBoxes,

  folder: {
    arrangements: [{ inputs: { image: "images" }, labels: "labels" }, { inputs: { image: "" } }],
    labels: { kind: "objects", extension: ".txt", read: parseYolo, write: writeYolo },
  },
  synthetic: { classNames: shapeKinds, make: detectionScene },
};
