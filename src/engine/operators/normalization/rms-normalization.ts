import type { Value } from "../../graph/graph.js";
import { defineComposite, float, int } from "../../graph/operator.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { sqrt } from "../elementwise/sqrt.js";
import { emit, normalizeAxis } from "../emit.js";
import { reduceMean } from "../reduction/reduce-mean.js";

/** `scale · x / √(mean(x²) + epsilon)` over the axes from `axis` on (Zhang & Sennrich 2019, arXiv 1910.07467); since opset 23. */
export const rmsNormalization = (x: Value, scale: Value, axis = -1, epsilon = 1e-5): Value =>
  emit(RMSNormalization, [x, scale], { axis, epsilon });

export const RMSNormalization = defineComposite({
  name: "RMSNormalization",
  inputs: ["X", "scale"],
  attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
  decompose: ({ inputs: [x, scale], attributes, fail }) => {
    const first = normalizeAxis(attributes.axis, x.shape.length, fail);
    return [mul(cast(overRootMeanSquare(x, first, attributes.epsilon), scale.type), scale)];
  },
});

/** `x / √(mean(x²) + epsilon)` over the axes from `first` on. The squares of float16 numbers leave float16, so those are float32 here. */
export function overRootMeanSquare(x: Value, first: number, epsilon: number): Value {
  const wide = x.type === "float16" ? cast(x, "float32") : x;
  const axes = x.shape.flatMap((_, axis) => (axis >= first ? [axis] : []));
  const root = sqrt(add(reduceMean(mul(wide, wide), axes, "keep"), epsilon));
  return cast(div(wide, root), x.type);
}
