import type { Value, ValueType } from "../../graph/graph.js";
import { defineOperator, flag, float } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { neg } from "../elementwise/neg.js";
import { sqrt } from "../elementwise/sqrt.js";
import { sub } from "../elementwise/sub.js";
import { emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { sumTo } from "../sum-to.js";
import { normalizeByBatch } from "./batch-statistics.js";

/** `scale (x - mean) / √(variance + epsilon) + bias` with stored statistics; all four are `[C]`, axis 1 of `x` is C. */
export const batchNormalization = (x: Value, scale: Value, bias: Value, mean: Value, variance: Value, epsilon = 1e-5): Value =>
  emit(BatchNormalization, [x, scale, bias, mean, variance], { epsilon });

function inferBatchNormalization({ inputs: [x, ...parameters], fail }: BatchNormalizationContext): readonly ValueType[] {
  const channels = x.shape[1] ?? (x.shape.length === 1 ? 1 : fail("X must have an axis of channels"));
  for (const p of parameters) {
    if (p.shape.length !== 1 || p.shape[0] !== channels) fail(`scale, B, input_mean and input_var must be [${channels}]`);
  }
  return [x];
}

/** The specification lets parameters have other types than X, for which there is a kernel only beside a float16 X. */
function withOneType([x, ...parameters]: BatchNormalizationContext["inputs"], epsilon: number): readonly Value[] | undefined {
  if (x.type === "float16" || parameters.every((p) => p.type === x.type)) return undefined;
  const [scale, bias, mean, variance] = parameters.map((p) => cast(p, x.type)) as [Value, Value, Value, Value];
  return [batchNormalization(x, scale, bias, mean, variance, epsilon)];
}

interface BatchNormalizationContext {
  readonly inputs: readonly [Value, Value, Value, Value, Value];
  readonly fail: (message: string) => never;
}

export const BatchNormalization = defineOperator({
  name: "BatchNormalization",
  inputs: ["X", "scale", "B", "input_mean", "input_var"],
  outputs: ["Y", "running_mean?", "running_var?"],
  attributes: { epsilon: float(1e-5), momentum: float(0.9), training_mode: flag(0) },
  infer: inferBatchNormalization,
  range: finite,
  decompose: (context) => {
    const { inputs, attributes } = context;
    if (attributes.training_mode === 0) return withOneType(inputs, attributes.epsilon);
    inferBatchNormalization(context);
    return normalizeByBatch(inputs, attributes);
  },
  // with r = scale / √(var + eps): dx = g r, dB = Σ g, dmean = -r Σ g, dscale = Σ g (x - mean) / √(var + eps),
  // dvar = -r / (2 (var + eps)) Σ g (x - mean)
  gradient: ({ inputs: [x, scale, bias, mean, variance], attributes: { epsilon }, wanted }, [g]) => {
    const perChannel = (v: Value) => reshape(v, [-1, ...x.shape.slice(2).map(() => 1)]);
    const perChannelSum = (v: Value) => reshape(sumTo(v, perChannel(scale).shape), scale.shape);
    const shifted = add(variance, epsilon);
    const deviation = sqrt(shifted);
    const factor = div(scale, deviation);
    const correlation = () => perChannelSum(mul(g!, sub(x, perChannel(mean))));
    return [
      wanted[0] ? mul(g!, perChannel(factor)) : undefined,
      wanted[1] ? div(correlation(), deviation) : undefined,
      wanted[2] ? reshape(perChannelSum(g!), bias.shape) : undefined,
      wanted[3] ? neg(mul(factor, perChannelSum(g!))) : undefined,
      wanted[4] ? mul(correlation(), div(mul(factor, -0.5), shifted)) : undefined,
    ];
  },
});
