import { defineOperator, int, zeroGradient } from "../../graph/operator.js";
import { dataTypeOf, elementTypeName } from "../../onnx/tensor-data.js";
import { constantNumbers } from "../emit.js";

export const MelWeightMatrix = defineOperator({
  name: "MelWeightMatrix",
  inputs: ["num_mel_bins", "dft_length", "sample_rate", "lower_edge_hertz", "upper_edge_hertz"],
  outputs: ["output"],
  attributes: { output_datatype: int(1) },
  infer: ({ inputs: [bins, length], attributes: { output_datatype: to }, fail }) => [
    {
      type: dataTypeOf(to) ?? fail(`it yields ${elementTypeName(to)}, which Faultline does not work on`),
      shape: [
        Math.floor(constantNumbers(length, "dft_length", fail)[0]! / 2) + 1,
        constantNumbers(bins, "num_mel_bins", fail)[0]!,
      ],
    },
  ],
  gradient: zeroGradient("its matrix depends on no picture"),
});
