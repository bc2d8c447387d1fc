import type { Value } from "../../graph/graph.js";
import { defineOperator, float, int } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { sameShape, sizeOf } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { broadcastShapes, emit, normalizeAxis } from "../emit.js";
import { expand } from "../layout/expand.js";
import { sumTo } from "../sum-to.js";
import { type Standardized, standardize, standardizeGradient } from "./standardize.js";

/**
 * Standardizes over the axes from `axis` on, then scales and shifts (Ba et al. 2016, arXiv 1607.06450). `scale` and `bias` broadcast to the
 * shape of `x`.
 */
export const layerNormalization = (x: Value, scale: Value, bias?: Value, axis = -1, epsilon = 1e-5): Value =>
  emit(LayerNormalization, [x, scale, bias], { axis, epsilon });

export const LayerNormalization = defineOperator({
  name: "LayerNormalization",
  inputs: ["X", "Scale", "B?"],
  outputs: ["Y", "Mean?", "InvStdDev?"],
  attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
  infer: ({ inputs: [x, scale, bias], attributes, fail }) => {
    const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
    for (const p of [scale, bias]) {
      if (p && p.type !== x.type) fail("X, Scale and B must have one element type");
      if (p && !sameShape(broadcastShapes([x.shape, p.shape], fail), x.shape)) fail("Scale and B must broadcast to X");
    }
    const statistics = { type: "float32", shape: x.shape.map((d, i) => (i < axis ? d : 1)) } as const;
    return [x, statistics, statistics];
  },
  range: finite,
  // Y = Scale x̂ + B with x̂ = (X - Mean) r, r = InvStdDev, over n elements: dX = standardize'(Scale g) + gMean / n - gInvStdDev r² x̂ / n,
  // dScale = Σ g x̂, dB = Σ g. The statistics are the node's own second and third outputs, which cost nothing; they are float32, so other
  // element types compute theirs anew.
  gradient: ({ inputs: [x, scale, bias], outputs: [, mean, inverse], attributes, wanted, fail }, [g, gMean, gInverse]) => {
    const first = normalizeAxis(attributes.axis, x.shape.length, fail);
    const axes = x.shape.flatMap((_, axis) => (axis >= first ? [axis] : []));
    const { normalized, inverse: r }: Standardized =
      x.type === "float32"
        ? { normalized: mul(sub(x, mean!), inverse!), inverse: inverse! }
        : standardize(x, axes, attributes.epsilon);
    const share = 1 / sizeOf(x.shape.slice(first));
    const parts = [
      g && standardizeGradient({ normalized, inverse: r }, mul(g, scale), axes),
      gMean && expand(mul(cast(gMean, x.type), share), x.shape),
      gInverse && mul(mul(cast(gInverse, x.type), mul(mul(r, r), -share)), normalized),
    ];
    return [
      wanted[0] ? parts.filter((part) => part !== undefined).reduce(add) : undefined,
      g && wanted[1] ? sumTo(mul(g, normalized), scale.shape) : undefined,
      g && wanted[2] ? sumTo(g, bias!.shape) : undefined,
    ];
  },
});
