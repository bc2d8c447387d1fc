import type { Value } from "../../graph/graph.js";
import { defineComposite, flag, float, int, ints, required } from "../../graph/operator.js";
import { joinHeads, scaledDotProduct, splitHeads } from "../attention/scaled-dot-product.js";
import { add } from "../elementwise/add.js";
import { concat } from "../layout/concat.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { split } from "../layout/split.js";
import { matMul } from "../linear/mat-mul.js";
import { dequantizeLinear } from "../quantization/dequantize-linear.js";
import { causal, paddingBias } from "./attention-mask.js";

const attributes = {
  do_rotary: flag(0),
  mask_filter_value: float(-10000),
  num_heads: required(int()),
  past_present_share_buffer: flag(0),
  scale: float(0),
  unidirectional: flag(0),
};

/** Attention with its projections, their weights side by side, as ONNX Runtime's transformer optimizer writes it. */
export const MicrosoftAttention = defineComposite({
  name: "Attention",
  domain: "com.microsoft",
  inputs: ["input", "weights", "bias?", "mask_index?", "past?", "attention_bias?", "past_sequence_length?"],
  outputs: ["output", "present?"],
  attributes: { ...attributes, qkv_hidden_sizes: ints(), rotary_embedding_dim: int(0) },
  decompose: ({ inputs: [x, weights, bias, mask, past, scores, pastLength], attributes, fail }) => {
    if (pastLength) fail("it shares the buffer of its past, which only generation of text does");
    return projected({ x, weights, bias, mask, past, scores, sizes: attributes.qkv_hidden_sizes }, attributes, fail);
  },
});

/** The same with input and weights in 8 bits, as `quantize_dynamic` writes it; weights may have a scale for each column. */
export const QAttention = defineComposite({
  name: "QAttention",
  domain: "com.microsoft",
  inputs: [
    "input",
    "weight",
    "bias",
    "input_scale",
    "weight_scale",
    "mask_index?",
    "input_zero_point?",
    "weight_zero_point?",
    "past?",
  ],
  outputs: ["output", "present?"],
  attributes,
  decompose: ({ inputs, attributes, fail }) => {
    const [stored, storedWeights, bias, scale, weightScale, mask, zero, weightZero, past] = inputs;
    const single = (v: Value): Value => (v.shape.length === 1 && v.shape[0] === 1 ? reshape(v, []) : v);
    const x = dequantizeLinear(stored, single(scale), zero && single(zero));
    const weights = dequantizeLinear(storedWeights, single(weightScale), weightZero && single(weightZero), 1);
    return projected({ x, weights, bias, mask, past }, attributes, fail);
  },
});

interface Projected {
  readonly x: Value;
  readonly weights: Value;
  readonly bias?: Value | undefined;
  readonly mask?: Value | undefined;
  readonly past?: Value | undefined;
  readonly scores?: Value | undefined;
  /** Of queries, keys and values; default a third of the weights' columns each. */
  readonly sizes?: readonly number[] | undefined;
}

interface Settings {
  readonly do_rotary: number;
  readonly mask_filter_value: number;
  readonly num_heads: number;
  readonly past_present_share_buffer: number;
  readonly scale: number;
  readonly unidirectional: number;
}

function projected(
  { x, weights, bias, mask, past, scores, sizes: given }: Projected,
  attributes: Settings,
  fail: (message: string) => never,
): Value[] {
  if (attributes.past_present_share_buffer !== 0) fail("it shares the buffer of its past, which only generation of text does");
  if (attributes.do_rotary !== 0) fail("it rotates its queries and keys by angles that the file does not hold");
  const heads = attributes.num_heads;
  const width = weights.shape[1]!;
  const sizes = given ?? [width / 3, width / 3, width / 3];
  if (sizes.length !== 3 || sizes.reduce((a, b) => a + b) !== width || sizes.some((s) => s % heads !== 0))
    fail(`${heads} heads do not fit ${width} columns of weights`);
  const product = matMul(x, weights);
  const [q, keys, values] = split(bias ? add(product, bias) : product, 2, sizes).map((v) => splitHeads(v, heads, fail));
  const before = (which: number) => past && reshape(slice(past, [which], [which + 1], { axes: [0] }), past.shape.slice(1));
  const [pastKeys, pastValues] = [before(0), before(1)];
  const k = pastKeys ? concat([pastKeys, keys!], 2) : keys!;
  const v = pastValues ? concat([pastValues, values!], 2) : values!;
  const [batch, , queries, size] = q!.shape as [number, number, number, number];
  const masked = { batch, queries, keys: k.shape[2]!, past: pastKeys?.shape[2] ?? 0 };
  const padded = mask && paddingBias(mask, attributes.mask_filter_value, x, masked, fail);
  const { y } = scaledDotProduct(q!, k, v, {
    scale: attributes.scale === 0 ? 1 / Math.sqrt(size) : attributes.scale,
    bias: padded && scores ? add(padded, scores) : (padded ?? scores),
    allowed: attributes.unidirectional === 0 ? undefined : causal(x, masked),
  });
  const present = () => concat([reshape(k, [1, ...k.shape]), reshape(v, [1, ...v.shape])], 0);
  return k.shape[3] === v.shape[3] ? [joinHeads(y), present()] : [joinHeads(y)];
}
