import { defineComposite, flag, float, int } from "../../graph/operator.js";
import { tensor } from "../../tensor/tensor.js";
import { rotate } from "../attention/rotate.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { expand } from "../layout/expand.js";
import { reshape } from "../layout/reshape.js";

/** The rotary embedding of ONNX Runtime, from which that of opset 23 was made; a single position is that of the first token. */
export const MicrosoftRotaryEmbedding = defineComposite({
  name: "RotaryEmbedding",
  domain: "com.microsoft",
  inputs: ["input", "position_ids", "cos_cache", "sin_cache"],
  outputs: ["output"],
  attributes: {
    interleaved: flag(0),
    is_packed_batching: int(0),
    num_heads: int(0),
    rotary_embedding_dim: int(0),
    scale: float(1),
  },
  decompose: ({ inputs: [x, given, cos, sin], attributes, graph, fail }) => {
    if (attributes.is_packed_batching !== 0) fail("its rows have different lengths, packed one behind the other");
    const [batch, length] = x.shape.length === 4 ? [x.shape[0]!, x.shape[2]!] : [x.shape[0]!, x.shape[1]!];
    const order = tensor(
      "int64",
      [1, length],
      Array.from({ length }, (_, i) => i),
    );
    const positions =
      given.shape.length === 2
        ? given
        : expand(add(graph.constant(order), reshape(cast(given, "int64"), [1, 1])), [batch, length]);
    const size = attributes.rotary_embedding_dim;
    // without a number of heads, their size is that of the caches
    const heads = attributes.num_heads || (x.shape.length === 3 ? x.shape[2]! / (2 * cos.shape[1]!) : 0);
    return [
      rotate({ x, cos, sin, positions }, { heads, pairs: attributes.interleaved === 0 ? "halves" : "neighbors", size }, fail),
    ];
  },
});
