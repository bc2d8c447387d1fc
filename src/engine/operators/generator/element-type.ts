import { dataTypeOf, elementTypeName } from "../../onnx/tensor-data.js";
import type { DataType } from "../../tensor/tensor.js";

/** The element type that an ONNX `dtype` attribute names, or the fallback where it is left out. */
export function elementType(dtype: number | undefined, fallback: DataType, fail: (message: string) => never): DataType {
  if (dtype === undefined) return fallback;
  return dataTypeOf(dtype) ?? fail(`element type ${elementTypeName(dtype)} is not supported`);
}
