import { MicrosoftDequantizeLinear, MicrosoftQuantizeLinear } from "../forms/quantize-linear.js";
import { MicrosoftAttention, QAttention } from "./attention.js";
import { BiasAdd } from "./bias-add.js";
import { BiasSoftmax } from "./bias-softmax.js";
import { BiasSplitGelu } from "./bias-split-gelu.js";
import { ContributedGridSample, ContributedTrilu, Inverse } from "./contributed.js";
import { EmbedLayerNormalization } from "./embed-layer-normalization.js";
import { FusedConv, FusedGemm, FusedMatMul, NhwcConv, NhwcFusedConv, TransposeMatMul } from "./fused.js";
import { BiasGelu, FastGelu, Gelu, QuickGelu } from "./gelu.js";
import { GroupNorm, SkipGroupNorm } from "./group-norm.js";
import { GroupQueryAttention } from "./group-query-attention.js";
import { MultiHeadAttention } from "./multi-head-attention.js";
import { NhwcMaxPool } from "./nhwc-max-pool.js";
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
import { MicrosoftRotaryEmbedding } from "./rotary-embedding.js";
import {
  SimplifiedLayerNormalization,
  SkipLayerNormalization,
  SkipSimplifiedLayerNormalization,
} from "./skip-layer-normalization.js";

/** What ONNX Runtime's optimizer and quantizer write, in com.microsoft mostly. */
export const microsoftOperators = {
  Attention: MicrosoftAttention,
  BiasAdd,
  BiasGelu,
  BiasSoftmax,
  BiasSplitGelu,
  DequantizeLinear: MicrosoftDequantizeLinear,
  EmbedLayerNormalization,
  FastGelu,
  FusedConv,
  FusedGemm,
  FusedMatMul,
  Gelu,
  GridSample: ContributedGridSample,
  GroupNorm,
  GroupQueryAttention,
  Inverse,
  MultiHeadAttention,
  NhwcConv,
  NhwcFusedConv,
  NhwcMaxPool,
  QAttention,
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
  RotaryEmbedding: MicrosoftRotaryEmbedding,
  SimplifiedLayerNormalization,
  SkipGroupNorm,
  SkipLayerNormalization,
  SkipSimplifiedLayerNormalization,
  TransposeMatMul,
  Trilu: ContributedTrilu,
};
