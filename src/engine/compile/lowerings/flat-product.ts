import { reshape } from "../../operators/layout/reshape.js";
import { matMul } from "../../operators/linear/mat-mul.js";
import { sizeOf } from "../../tensor/tensor.js";
import type { Lowering } from "../rewrite.js";
import { isFixed } from "./match.js";

/**
 * A batch of matrices times one constant matrix, `[..., m, k] · [k, n]`, becomes a single product of `[... m, k]`: linear layers without
 * bias, as all of them are in a gradient. (With a bias ONNX Runtime makes a Gemm of them, in the same way.)
 */
export const flatProduct: Lowering = {
  name: "flat-product",
  providers: ["cpu", "wasm"],
  measured: "",
  rewrite: (node, [x, w]) => {
    if (node.operator.name !== "MatMul" || !x || !w || x.shape.length < 3 || w.shape.length !== 2 || !isFixed(w))
      return undefined;
    const [inner, columns] = w.shape as [number, number];
    const rows = sizeOf(x.shape.slice(0, -1));
    return [reshape(matMul(reshape(x, [rows, inner]), w), [...x.shape.slice(0, -1), columns])];
  },
};
