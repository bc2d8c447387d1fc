import type { Value } from "../../../../engine/graph/graph.js";
import { slice } from "../../../../engine/operators/index.js";
import { type Head, isMap, isPair, pairOf } from "./head.js";
import { classesLast, exclusive, independent, partOf, placesLast } from "./values.js";

// Heads of two outputs: boxes [B, N, 4] and scores [B, N, C], in whatever order; one of them has a form in which both are one.

const inOrder = (outputs: readonly Value[]): readonly [boxes: Value, scores: Value] => {
  const pair = pairOf(outputs)!;
  const scores = outputs[1 - pair.boxes]!;
  return [outputs[pair.boxes]!, pair.scores === "places first" ? scores : classesLast(scores)];
};

/** Scores [B, N, C] that end in a sigmoid, or will. */
const sigmoidHead = (parts: Pick<Head, "name" | "about" | "boxes" | "nms">): Head => ({
  ...parts,
  fits: (outputs) => isPair(outputs, 1),
  parts: (outputs) => {
    const [boxes, scores] = inOrder(outputs);
    return { boxes: placesLast(boxes), logits: placesLast(independent(scores, "logits")) };
  },
});

/** Scores [B, N, C] that end in a softmax, or will, with one class that stands for no object. */
const softmaxHead = (parts: Pick<Head, "name" | "about" | "alike" | "boxes" | "nms">, nothing: "first" | "last"): Head => ({
  ...parts,
  fits: (outputs) => isPair(outputs, 2),
  parts: (outputs) => {
    const [boxes, scores] = inOrder(outputs);
    const all = placesLast(exclusive(scores));
    const classes = all.shape[1]!;
    const [from, to] = nothing === "first" ? [1, classes] : [0, classes - 1];
    return { boxes: placesLast(boxes), logits: slice(all, [from], [to], { axes: [1] }) };
  },
});

export const ssd = softmaxHead(
  {
    name: "ssd",
    about: "SSD, Faster R-CNN's kind: decoded boxes [B, N, 4] and scores [B, N, 1 + K], softmax, class 0 is the background",
    boxes: "xyxy",
    nms: 0.45,
  },
  "first",
);

export const retinanet = sigmoidHead({
  name: "retinanet",
  about: "RetinaNet, FCOS: decoded boxes [B, N, 4] and scores [B, N, K], a sigmoid each",
  boxes: "xyxy",
  nms: 0.5,
});

export const detr = softmaxHead(
  {
    name: "detr",
    about: "DETR, YOLOS: boxes [B, N, 4] and logits [B, N, K + 1], softmax, the last class is no object",
    alike: "rt-detr",
    boxes: "cxcywh-normalized",
    nms: 1,
  },
  "last",
);

const queries = sigmoidHead({
  name: "rt-detr",
  about: "RT-DETR, Deformable DETR, DINO: boxes [B, N, 4] and logits [B, N, K], a sigmoid each; or both in one, [B, N, 4 + K]",
  boxes: "cxcywh-normalized",
  nms: 1,
});

/** Ultralytics exported RT-DETR with boxes and probabilities side by side. */
export const rtDetr: Head = {
  ...queries,
  columns: true,
  fits: (outputs) => {
    const [one, ...others] = outputs;
    if (others.length > 0) return queries.fits(outputs);
    return one !== undefined && isMap(one) && one.shape[2]! >= 5 && one.shape[2]! < one.shape[1]!;
  },
  parts: (outputs) => {
    const [one, ...others] = outputs as readonly [Value, ...Value[]];
    if (others.length > 0) return queries.parts(outputs);
    const scores = partOf(one, 2, 4, one.shape[2]!);
    return { boxes: placesLast(partOf(one, 2, 0, 4)), logits: placesLast(independent(scores, "probabilities")) };
  },
};
