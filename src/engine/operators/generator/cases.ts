import { tensor } from "../../tensor/tensor.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import { mul } from "../elementwise/mul.js";
import { emit, intsConstant, scalar } from "../emit.js";
import { BlackmanWindow } from "./blackman-window.js";
import { ConstantOfShape } from "./constant-of-shape.js";
import { EyeLike } from "./eye-like.js";
import { HammingWindow } from "./hamming-window.js";
import { HannWindow } from "./hann-window.js";
import { Range } from "./range.js";

/** Generators have no gradient of their own: each stands as a factor, so that its value and type are checked in a product. */
export const generatorCases: readonly OperatorCase[] = [
  {
    name: "ConstantOfShape",
    operator: "ConstantOfShape",
    inputs: { x: { shape: [2, 3] } },
    build: ({ x }, graph) =>
      mul(x!, emit(ConstantOfShape, [intsConstant(graph, [2, 3])], { value: tensor("float32", [1], [1.5]) })),
  },
  {
    name: "EyeLike: shifted diagonal",
    operator: "EyeLike",
    inputs: { x: { shape: [3, 4] } },
    build: ({ x }) => mul(x!, emit(EyeLike, [x!], { k: 1 })),
  },
  {
    name: "Range: negative step",
    operator: "Range",
    inputs: { x: { shape: [4] } },
    build: ({ x }, graph) =>
      mul(x!, emit(Range, [scalar(graph, 2, "float32"), scalar(graph, -1.5, "float32"), scalar(graph, -1, "float32")])),
  },
  ...[BlackmanWindow, HammingWindow, HannWindow].map(
    (window): OperatorCase => ({
      name: `${window.name}: symmetric`,
      operator: window.name,
      inputs: { x: { shape: [2, 6] } },
      build: ({ x }, graph) => mul(x!, emit(window, [graph.constant(tensor("int64", [], [6]))], { periodic: 0 })),
    }),
  ),
];
