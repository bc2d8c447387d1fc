import type { Graph, Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import { emit, emitAll, intsConstant, scalar } from "../emit.js";
import { centerCropPad } from "./center-crop-pad.js";
import { Col2Im } from "./col2im.js";
import { concat } from "./concat.js";
import { depthToSpace } from "./depth-to-space.js";
import { Dropout } from "./dropout.js";
import { expand } from "./expand.js";
import { flatten } from "./flatten.js";
import { identity } from "./identity.js";
import { Pad, type PadMode, pad } from "./pad.js";
import { pixelShuffle, pixelUnshuffle } from "./pixel-shuffle.js";
import { reshape } from "./reshape.js";
import { reverseSequence } from "./reverse-sequence.js";
import { slice } from "./slice.js";
import { spaceToDepth } from "./space-to-depth.js";
import { Split, split } from "./split.js";
import { squeeze } from "./squeeze.js";
import { tile } from "./tile.js";
import { transpose } from "./transpose.js";
import { trilu } from "./trilu.js";
import { unsqueeze } from "./unsqueeze.js";

/** A case with one input `x`. */
function one(
  name: string,
  shape: readonly number[],
  build: (x: Value, graph: Graph) => Value | readonly Value[],
  operator = name.split(":")[0]!,
): OperatorCase {
  return { name, operator, inputs: { x: { shape } }, build: ({ x }, graph) => build(x!, graph) };
}

const padCases: readonly [PadMode, readonly number[]][] = [
  ["constant", [0, 1, 2, 0, 3, 1]],
  ["constant", [0, -1, 2, 0, 1, -2]],
  ["reflect", [0, 2, 3, 0, 1, 4]],
  ["reflect", [0, -1, 2, 0, 2, -1]],
  ["edge", [1, 2, 3, 0, 1, 7]],
  ["edge", [0, -1, 2, 0, 2, -1]],
  ["wrap", [0, 2, 3, 0, 1, 5]],
  ["wrap", [0, 3, 0, 1, 3, 0]],
];

export const layoutCases: readonly OperatorCase[] = [
  {
    name: "Concat: three inputs, negative axis",
    operator: "Concat",
    inputs: { a: { shape: [2, 3] }, b: { shape: [2, 1] }, c: { shape: [2, 4] } },
    build: ({ a, b, c }) => concat([a!, b!, c!], -1),
  },
  {
    name: "Concat: one input twice",
    operator: "Concat",
    inputs: { a: { shape: [2, 3] } },
    build: ({ a }) => concat([a!, a!], 0),
  },
  one("Concat: only one input is differentiated", [2, 3], (x, graph) =>
    concat([graph.constant(tensor("float32", [1, 3], [1, 2, 3])), x], 0),
  ),
  one("Split: given sizes", [2, 6], (x) => split(x, 1, [1, 3, 2])),
  one("Split: num_outputs that does not divide", [7, 2], (x) => emitAll(Split, [x], { axis: 0, num_outputs: 3 }, 3)),
  one("Split: only one part is used", [2, 6], (x) => split(x, 1, [1, 3, 2])[1]!),
  one("Slice: step 1, negative positions", [5, 6], (x) => slice(x, [1, -4], [-1, Number.POSITIVE_INFINITY])),
  one("Slice: steps", [7, 8], (x) => slice(x, [1, 0], [7, 8], { steps: [2, 3] })),
  one("Slice: negative steps", [7, 8], (x) => slice(x, [-1, 6], [Number.NEGATIVE_INFINITY, 1], { steps: [-1, -2] })),
  one("Slice: negative axis, clamped", [3, 5], (x) => slice(x, [-100], [100], { axes: [-1], steps: [2] })),
  one("Slice: one element by a long step", [3, 5], (x) => slice(x, [2], [5], { axes: [1], steps: [4] })),
  ...padCases.map(([mode, pads]) => one(`Pad: ${mode} [${pads.join(", ")}]`, [2, 4, 5], (x) => pad(x, pads, mode))),
  one("Pad: axes input", [2, 4, 5], (x, graph) =>
    emit(Pad, [x, intsConstant(graph, [2, 1, 1, 3]), undefined, intsConstant(graph, [-1, 0])], {}),
  ),
  {
    name: "Pad: gradient of the constant, with negative pads",
    operator: "Pad",
    inputs: { x: { shape: [3, 4] }, value: { shape: [] } },
    build: ({ x, value }) => pad(x!, [1, -1, 2, 3], "constant", value!),
  },
  one("Squeeze: given axes", [1, 3, 1, 2], (x) => squeeze(x, [-2])),
  one("Squeeze: all", [1, 3, 1, 2], (x) => squeeze(x)),
  one("Unsqueeze: positive and negative axes", [3, 2], (x) => unsqueeze(x, [0, -1])),
  one("Flatten: axis 0", [2, 3, 4], (x) => flatten(x, 0)),
  one("Flatten: axis -1", [2, 3, 4], (x) => flatten(x, -1)),
  one("Tile", [2, 1, 3], (x) => tile(x, [2, 3, 1])),
  one("DepthToSpace: DCR", [2, 8, 2, 3], (x) => depthToSpace(x, 2, "DCR")),
  one("DepthToSpace: CRD", [2, 8, 2, 3], (x) => depthToSpace(x, 2, "CRD")),
  one("DepthToSpace: pixelShuffle of pixelUnshuffle", [1, 2, 6, 3], (x) => pixelShuffle(pixelUnshuffle(x, 3), 3)),
  one("SpaceToDepth", [2, 2, 4, 6], (x) => spaceToDepth(x, 2)),
  one("Dropout: evaluation", [2, 3], (x) => emit(Dropout, [x])),
  one("Trilu: upper", [2, 3, 4], (x) => trilu(x, "upper")),
  one("Trilu: lower, moved diagonal", [2, 3, 4], (x) => trilu(x, "lower", 1)),
  one("ReverseSequence: time first", [4, 3, 2], (x, graph) =>
    reverseSequence(x, graph.constant(tensor("int64", [3], [4, 2, 1])), { batch: 1, time: 0 }),
  ),
  one("ReverseSequence: batch first", [3, 4], (x, graph) =>
    reverseSequence(x, graph.constant(tensor("int64", [3], [3, 2, 4])), { batch: 0, time: 1 }),
  ),
  one("CenterCropPad: odd differences", [5, 4, 3], (x) => centerCropPad(x, [2, 7, 3])),
  one("CenterCropPad: some axes", [5, 4, 3], (x) => centerCropPad(x, [4, 2], [-1, 0])),
  one("Col2Im: pads, strides, dilations", [2, 3 * 4, 3 * 2], (x, graph) =>
    emit(Col2Im, [x, intsConstant(graph, [5, 5]), intsConstant(graph, [2, 2])], {
      strides: [2, 2],
      pads: [1, 0, 0, 1],
      dilations: [1, 2],
    }),
  ),
  one("Identity", [2, 3], (x) => identity(x)),
  one("Reshape: open axis", [2, 3, 4], (x) => reshape(x, [4, -1])),
  one("Expand: new and repeated axes", [3, 1], (x) => expand(x, [2, 3, 4])),
  one("Transpose", [2, 3, 4], (x) => transpose(x, [2, 0, 1])),
  one("Transpose: default", [2, 3, 4], (x) => transpose(x)),
  // evaluation mode stated outright
  one("Dropout: training_mode false", [2, 3], (x, graph) =>
    emit(Dropout, [x, scalar(graph, 0.5, "float32"), scalar(graph, 0, "bool")]),
  ),
];
