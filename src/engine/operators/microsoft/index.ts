import { MicrosoftDequantizeLinear, MicrosoftQuantizeLinear } from "../forms/quantize-linear.js";
import { FusedConv, FusedGemm, FusedMatMul, TransposeMatMul } from "./fused.js";
import { BiasGelu, FastGelu, Gelu, QuickGelu } from "./gelu.js";
import {
  QGemm,
  QLinearAdd,
  QLinearAveragePool,
  QLinearConcat,
  QLinearConv,
  QLinearGlobalAveragePool,
  QLinearLeakyRelu,
  QLinearMatMul,
  QLinearMul,
  QLinearSigmoid,
  QLinearSoftmax,
} from "./quantized.js";
import {
  SimplifiedLayerNormalization,
  SkipLayerNormalization,
  SkipSimplifiedLayerNormalization,
} from "./skip-layer-normalization.js";

/** What ONNX Runtime's optimizer and quantizer write, in com.microsoft mostly. */
export const microsoftOperators = {
  BiasGelu,
  DequantizeLinear: MicrosoftDequantizeLinear,
  FastGelu,
  FusedConv,
  FusedGemm,
  FusedMatMul,
  Gelu,
  QGemm,
  QLinearAdd,
  QLinearAveragePool,
  QLinearConcat,
  QLinearConv,
  QLinearGlobalAveragePool,
  QLinearLeakyRelu,
  QLinearMatMul,
  QLinearMul,
  QLinearSigmoid,
  QLinearSoftmax,
  QuantizeLinear: MicrosoftQuantizeLinear,
  QuickGelu,
  SimplifiedLayerNormalization,
  SkipLayerNormalization,
  SkipSimplifiedLayerNormalization,
  TransposeMatMul,
};
