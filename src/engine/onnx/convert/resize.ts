import { toNumbers } from "../../tensor/tensor.js";
import type { OnnxNode } from "../model.js";
import { type Conversion, isEmpty, newest, type Rewrite, text, textOf, without } from "./conversion.js";

/**
 * Before opset 11 the coordinates were not specified; ONNX Runtime and the exporters of the time agree on x_in = x_out / scale, rounded
 * down for nearest (but up where the axis shrinks).
 */
function asymmetric(node: OnnxNode, scales: string, to: Rewrite) {
  const known = to.scope.valueOf(scales);
  const factors = known ? toNumbers(known) : [];
  const shrinks = factors.some((factor) => factor < 1);
  const mode = textOf(node, "mode", "nearest");
  if (mode === "nearest" && shrinks && factors.some((factor) => factor > 1)) {
    to.refuse("shrinks one axis and stretches another, which opset 11 and above round alike; use two nodes");
  }
  to.finish("Resize", [node.inputs[0]!, "", scales], {
    mode: text(mode === "bilinear" ? "linear" : mode),
    coordinate_transformation_mode: text("asymmetric"),
    ...(mode === "nearest" ? { nearest_mode: text(shrinks ? "ceil" : "floor") } : {}),
  });
}

/** Opset 11 required `roi` and `scales` and marked "left out" by an empty tensor. */
function dropEmptyInputs(node: OnnxNode, to: Rewrite) {
  const inputs = node.inputs.map((name) => (isEmpty(to.scope.valueOf(name)) ? "" : name));
  while (inputs.at(-1) === "") inputs.pop();
  to.keep(coordinates({ ...node, inputs }));
}

/** Removed in opset 13: x_in = (x_out + 0.5) / scale, half a pixel above half_pixel, which rounding can say where it chooses an element. */
function coordinates(node: OnnxNode): OnnxNode {
  const rounding = textOf(node, "nearest_mode", "round_prefer_floor");
  const same = { floor: "round_prefer_ceil", round_prefer_floor: "ceil" }[rounding];
  const nearest = textOf(node, "mode", "nearest") === "nearest";
  if (textOf(node, "coordinate_transformation_mode", "half_pixel") !== "tf_half_pixel_for_nn" || !nearest || !same) return node;
  const attributes = { ...node.attributes, coordinate_transformation_mode: text("half_pixel"), nearest_mode: text(same) };
  return { ...node, attributes };
}

export const resize: readonly Conversion[] = [
  {
    op: "Upsample",
    from: 7,
    to: 8,
    convert: (node, to: Rewrite) => {
      const scales = node.attributes.scales;
      if (scales?.kind !== "floats") to.refuse("has no scales");
      asymmetric(
        node,
        to.constant({ type: "float32", shape: [scales.value.length], data: Float32Array.from(scales.value) }, "scales"),
        to,
      );
    },
  },
  { op: "Upsample", from: 9, to: 9, inputs: 2, convert: (node, to) => asymmetric(node, node.inputs[1]!, to) },
  {
    op: "Upsample",
    from: 10,
    to: newest,
    convert: (_, to) => to.refuse("was replaced by Resize in opset 10; export the model again"),
  },
  { op: "Resize", from: 10, to: 10, inputs: 2, convert: (node, to) => asymmetric(node, node.inputs[1]!, to) },
  { op: "Resize", from: 11, to: newest, convert: dropEmptyInputs },
  {
    // Gained the coordinate mode in opset 16, with another default than it had before.
    op: "RoiAlign",
    from: 10,
    to: 15,
    convert: (node, to) =>
      to.keep({ ...node, attributes: { ...node.attributes, coordinate_transformation_mode: text("output_half_pixel") } }),
  },
  {
    op: "GridSample",
    from: 20,
    to: newest,
    convert: (node, to) => {
      const mode = textOf(node, "mode", "linear");
      const older = mode === "linear" ? "bilinear" : mode === "cubic" ? "bicubic" : mode;
      to.keep({ ...node, attributes: { ...without(node.attributes, "mode"), mode: text(older) } });
    },
  },
];
