import { defineComposite, float, int, ints, required } from "../../graph/operator.js";
import { joinHeads, scaledDotProduct, splitHeads } from "../attention/scaled-dot-product.js";
import { add } from "../elementwise/add.js";
import { concat } from "../layout/concat.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { split } from "../layout/split.js";
import { matMul } from "../linear/mat-mul.js";
import { causal, paddingBias } from "./attention-mask.js";

/** Attention with its projections, their weights side by side, as ONNX Runtime's transformer optimizer writes it. */
export const MicrosoftAttention = defineComposite({
  name: "Attention",
  domain: "com.microsoft",
  inputs: ["input", "weights", "bias?", "mask_index?", "past?", "attention_bias?", "past_sequence_length?"],
  outputs: ["output", "present?"],
  attributes: {
    do_rotary: int(0),
    mask_filter_value: float(-10000),
    num_heads: required(int()),
    past_present_share_buffer: int(0),
    qkv_hidden_sizes: ints(),
    rotary_embedding_dim: int(0),
    scale: float(0),
    unidirectional: int(0),
  },
  decompose: ({ inputs: [x, weights, bias, mask, past, scores, pastLength], attributes, fail }) => {
    if (pastLength || attributes.past_present_share_buffer !== 0)
      fail("it shares the buffer of its past, which only generation of text does");
    if (attributes.do_rotary !== 0) fail("it rotates its queries and keys by angles that the file does not hold");
    const heads = attributes.num_heads;
    const width = weights.shape[1]!;
    const sizes = attributes.qkv_hidden_sizes ?? [width / 3, width / 3, width / 3];
    if (sizes.length !== 3 || sizes.reduce((a, b) => a + b) !== width || sizes.some((s) => s % heads !== 0))
      fail(`${heads} heads do not fit ${width} columns of weights`);
    const product = matMul(x, weights);
    const [q, keys, values] = split(bias ? add(product, bias) : product, 2, sizes).map((v) => splitHeads(v, heads));
    const before = (which: number) => past && reshape(slice(past, [which], [which + 1], { axes: [0] }), past.shape.slice(1));
    const [pastKeys, pastValues] = [before(0), before(1)];
    const k = pastKeys ? concat([pastKeys, keys!], 2) : keys!;
    const v = pastValues ? concat([pastValues, values!], 2) : values!;
    const [batch, , queries, size] = q!.shape as [number, number, number, number];
    const masked = { batch, queries, keys: k.shape[2]!, past: pastKeys?.shape[2] ?? 0 };
    const padded = mask && paddingBias(mask, attributes.mask_filter_value, x, masked, fail);
    const { y } = scaledDotProduct(q!, k, v, {
      scale: attributes.scale || 1 / Math.sqrt(size),
      bias: padded && scores ? add(padded, scores) : (padded ?? scores),
      allowed: attributes.unidirectional === 0 ? undefined : causal(x, masked),
    });
    const present = () => concat([reshape(k, [1, ...k.shape]), reshape(v, [1, ...v.shape])], 0);
    return k.shape[3] === v.shape[3] ? [joinHeads(y), present()] : [joinHeads(y)];
  },
});
