import { mul } from "../../../../engine/operators/index.js";
import { type Head, isMap } from "./head.js";
import { logitOf, partOf, placesLast } from "./values.js";

/** YOLOv5's first heads, and YOLOv7 and YOLOX with decoded boxes: box, objectness and classes in 5 + K columns. A score is objectness times class. */
export const yolov5: Head = {
  name: "yolov5",
  about: "YOLOv5, YOLOv7, YOLOX: [B, N, 5 + K], box, objectness and one probability a class",
  boxes: "cxcywh",
  nms: 0.6,
  fits: ([one, ...others]) => others.length === 0 && isMap(one!) && one!.shape[2]! >= 6 && one!.shape[2]! < one!.shape[1]!,
  parts: ([one]) => {
    const columns = (from: number, to: number) => placesLast(partOf(one!, 2, from, to));
    return { boxes: columns(0, 4), logits: logitOf(mul(columns(4, 5), columns(5, one!.shape[2]!))) };
  },
};
