import { type Head, isMap, type Named } from "./head.js";
import { independent, partOf } from "./values.js";

/** Which of two values [B, 4, N] and [B, K, N] are the boxes, the parts of the output before their Concat; undefined where they are no such parts. */
function boxesAmong([a, b, ...others]: readonly Named[]): 0 | 1 | undefined {
  if (!a || !b || others.length > 0 || !isMap(a) || !isMap(b) || a.shape[2] !== b.shape[2] || a.shape[2]! <= 4) return undefined;
  if (a.shape[1] === 4) return 0;
  return b.shape[1] === 4 ? 1 : undefined;
}

/** Ultralytics' anchor-free heads, YOLOv8 to YOLO11 and the "u" models of v3 and v5: one output of 4 + K rows, classes as probabilities; or its two parts. */
export const yolov8: Head = {
  name: "yolov8",
  about:
    "Ultralytics' YOLOv8, YOLO11, YOLOv5u: [B, 4 + K, N], box and one probability a class; or both by themselves, [B, 4, N] and [B, K, N]",
  boxes: "cxcywh",
  nms: 0.7,
  fits: (outputs) => {
    const [one, ...others] = outputs;
    if (others.length > 0) return boxesAmong(outputs) !== undefined;
    return isMap(one!) && one!.shape[1]! >= 5 && one!.shape[1]! < one!.shape[2]!;
  },
  parts: (outputs) => {
    const at = boxesAmong(outputs);
    if (at !== undefined) return { boxes: outputs[at]!, logits: independent(outputs[1 - at]!, "probabilities") };
    const [one] = outputs;
    return { boxes: partOf(one!, 1, 0, 4), logits: independent(partOf(one!, 1, 4, one!.shape[1]!), "probabilities") };
  },
};
