import { SpecError } from "../../../spec/error.js";
import { type Head, isMap } from "./head.js";
import { beforeSelection, columnsFirst } from "./selection.js";
import { independent } from "./values.js";

/**
 * Heads that choose within the graph and need no suppression: YOLOv10 and YOLO26 end to end, RT-DETR as Ultralytics exports it now. What was chosen names a class by
 * its number, which has no gradient; so what is read are all places before the choice, of which the surest are the same.
 */
export const yolov10: Head = {
  name: "yolov10",
  about: "YOLOv10, YOLO26 and RT-DETR from Ultralytics, end to end: [B, N, 6], chosen boxes, each with score and class",
  boxes: "xyxy",
  nms: 1,
  columns: true,
  fits: ([one, ...others]) => others.length === 0 && isMap(one!) && one!.shape[2] === 6,
  parts: ([chosen]) => {
    const before = beforeSelection(chosen!);
    if (!before)
      throw new SpecError(
        `The output "${chosen!.name}" [${chosen!.shape.join(", ")}] holds boxes that the model chose itself, and from there no way leads back to all of them; name all boxes [batch, places, 4] and scores [batch, places, classes] before the choice with --of BOXES,SCORES (faultline inspect --values lists inner values).`,
      );
    return { boxes: columnsFirst(before.boxes), logits: independent(columnsFirst(before.scores), "probabilities") };
  },
};
