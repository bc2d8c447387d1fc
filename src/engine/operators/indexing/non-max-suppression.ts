import { defineOperator, flag, notDifferentiable } from "../../graph/operator.js";

/** Which boxes remain when of overlapping ones only the best scored is kept. */
export const NonMaxSuppression = defineOperator({
  name: "NonMaxSuppression",
  inputs: ["boxes", "scores", "max_output_boxes_per_class?", "iou_threshold?", "score_threshold?"],
  outputs: ["selected_indices"],
  attributes: { center_point_box: flag(0) },
  infer: ({ fail }) => fail("how many results it has depends on data, so its output has no fixed shape", "data"),
  gradient: notDifferentiable("how many results it has depends on data"),
});
