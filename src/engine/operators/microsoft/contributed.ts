import { defineComposite, defineOperator, flag, string } from "../../graph/operator.js";
import { neg } from "../elementwise/neg.js";
import { emit } from "../emit.js";
import { Trilu } from "../layout/trilu.js";
import { matMul, swap } from "../linear/mat-mul.js";
import { GridSample } from "../resampling/grid-sample.js";

/**
 * What PyTorch's exporter writes for grid_sample, tril, triu and inverse where ONNX Runtime's symbolic functions are registered
 * (`pytorch_export_contrib_ops`). The first three came into ONNX later.
 */
const domain = "com.microsoft";

export const ContributedGridSample = defineComposite({
  name: "GridSample",
  domain,
  inputs: ["X", "Grid"],
  attributes: {
    align_corners: flag(0),
    mode: string("bilinear", ["bilinear", "nearest", "bicubic"]),
    padding_mode: string("zeros", ["zeros", "border", "reflection"]),
  },
  decompose: ({ inputs, attributes }) => [emit(GridSample, inputs, attributes)],
});

export const ContributedTrilu = defineComposite({
  name: "Trilu",
  domain,
  inputs: ["X", "k?"],
  attributes: { upper: flag(1) },
  decompose: ({ inputs, attributes }) => [emit(Trilu, inputs, attributes)],
});

/** The inverses of square matrices, the last two axes. */
export const Inverse = defineOperator({
  name: "Inverse",
  domain,
  inputs: ["X"],
  infer: ({ inputs: [x], fail }) => {
    if (x.shape.length < 2 || x.shape.at(-1) !== x.shape.at(-2)) fail("its input must hold square matrices");
    return [x];
  },
  // d(X⁻¹) = -X⁻¹ dX X⁻¹
  gradient: ({ outputs: [y] }, [g]) => [neg(matMul(matMul(swap(y), g), swap(y)))],
});
