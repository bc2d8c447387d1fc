import { defineComposite, flag, int, type Operator } from "../../graph/operator.js";
import { elementTypes } from "../../onnx/schema.js";
import { emit } from "../emit.js";
import { DequantizeLinear } from "../quantization/dequantize-linear.js";
import { QuantizeLinear } from "../quantization/quantize-linear.js";
import { newest } from "./newest.js";

/**
 * Types, blocks and float16 are the operators' own business; `saturate` and `precision` speak of 8-bit floats and of rounding within float32. That
 * a zero point had 4 bits in the file, which were widened, says the type of the result.
 */
const attributes = { axis: int(1), saturate: flag(1), block_size: int(0), output_dtype: int(0), precision: int(0) };

const quantize = (domain: "" | "com.microsoft"): Operator =>
  defineComposite({
    name: "QuantizeLinear",
    domain,
    ...(domain === "" && { opsets: [19, newest] as const }),
    inputs: ["x", "y_scale", "y_zero_point?"],
    outputs: ["y"],
    attributes,
    decompose: ({ inputs, attributes: { axis, block_size, output_dtype } }) => {
      const narrow = inputs[2]?.constant?.narrow;
      const type = narrow === undefined ? output_dtype : elementTypes.indexOf(narrow);
      return [emit(QuantizeLinear, inputs, { axis, block_size, output_dtype: type })];
    },
  });

const dequantize = (domain: "" | "com.microsoft"): Operator =>
  defineComposite({
    name: "DequantizeLinear",
    domain,
    ...(domain === "" && { opsets: [19, newest] as const }),
    inputs: ["x", "x_scale", "x_zero_point?"],
    outputs: ["y"],
    attributes,
    decompose: ({ inputs, attributes: { axis, block_size, output_dtype } }) => [
      emit(DequantizeLinear, inputs, { axis, block_size, output_dtype }),
    ],
  });

export const quantizationForms: readonly Operator[] = [quantize(""), dequantize("")];

/** ONNX Runtime's own, from the time before 16 and 4 bits were in ONNX. */
export const MicrosoftQuantizeLinear = quantize("com.microsoft");
export const MicrosoftDequantizeLinear = dequantize("com.microsoft");
