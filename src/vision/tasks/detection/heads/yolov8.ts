import { type Head, isMap } from "./head.js";
import { independent, partOf } from "./values.js";

/** Ultralytics' anchor-free heads, YOLOv8 to YOLO11 and the "u" models of v3 and v5: one output of 4 + K rows, classes as probabilities. */
export const yolov8: Head = {
  name: "yolov8",
  about: "Ultralytics' YOLOv8, YOLO11, YOLOv5u: [B, 4 + K, N], box and one probability a class",
  boxes: "cxcywh",
  nms: 0.7,
  fits: ([one, ...others]) => others.length === 0 && isMap(one!) && one!.shape[1]! >= 5 && one!.shape[1]! < one!.shape[2]!,
  parts: ([one]) => ({
    boxes: partOf(one!, 1, 0, 4),
    logits: independent(partOf(one!, 1, 4, one!.shape[1]!), "probabilities"),
  }),
};
