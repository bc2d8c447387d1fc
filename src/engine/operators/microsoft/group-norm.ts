import type { Value } from "../../graph/graph.js";
import { defineComposite, flag, float, int, required } from "../../graph/operator.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { sigmoid } from "../activation/sigmoid.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { reshape } from "../layout/reshape.js";
import { transpose } from "../layout/transpose.js";
import { instanceNormalization } from "../normalization/instance-normalization.js";

const attributes = { activation: flag(0), channels_last: flag(1), epsilon: float(1e-5), groups: required(int()) };

interface GroupNormAttributes {
  readonly activation: number;
  readonly channels_last: number;
  readonly epsilon: number;
  readonly groups: number;
}

/**
 * Group normalization (Wu & He 2018, arXiv 1803.08494) of ONNX Runtime's optimizer for diffusion models: channels last unless said, SiLU behind
 * it on request.
 */
export const GroupNorm = defineComposite({
  name: "GroupNorm",
  domain: "com.microsoft",
  inputs: ["X", "gamma", "beta"],
  attributes,
  decompose: ({ inputs: [x, gamma, beta], attributes, fail }) => [groupNorm(x, gamma, beta, attributes, fail)],
});

/** `GroupNorm(X + skip + bias)`, and that sum; skip may be one number for each channel of each picture. */
export const SkipGroupNorm = defineComposite({
  name: "SkipGroupNorm",
  domain: "com.microsoft",
  inputs: ["X", "gamma", "beta", "skip", "bias?"],
  outputs: ["Y", "S?"],
  attributes,
  decompose: ({ inputs: [x, gamma, beta, skip, bias], attributes, fail }) => {
    const last = attributes.channels_last !== 0;
    const [n, c] = [x.shape[0]!, last ? x.shape.at(-1)! : x.shape[1]!];
    const perChannel = (rows: number) => x.shape.map((_, i) => (i === 0 ? rows : i === (last ? x.shape.length - 1 : 1) ? c : 1));
    const skipped = add(x, skip.shape.length === 2 ? reshape(skip, perChannel(n)) : skip);
    const sum = bias ? add(skipped, reshape(bias, perChannel(1))) : skipped;
    return [groupNorm(sum, gamma, beta, attributes, fail), sum];
  },
});

function groupNorm(
  given: Value,
  gamma: Value,
  beta: Value,
  { activation, channels_last, epsilon, groups }: GroupNormAttributes,
  fail: (message: string) => never,
): Value {
  const rank = given.shape.length;
  const middle = given.shape.slice(2).map((_, i) => i + 1);
  const x = channels_last === 0 ? given : transpose(given, [0, rank - 1, ...middle]);
  const [n, c] = [x.shape[0]!, x.shape[1]!];
  if (rank < 3 || c % groups !== 0) fail(`${c} channels cannot be cut into ${groups} groups`);
  const wide = x.type === "float16" ? "float32" : x.type;
  const ofGroups = (value: number) =>
    x.graph.constant(
      tensor(
        wide,
        [groups],
        Array.from({ length: groups }, () => value),
      ),
    );
  const rows = reshape(cast(x, wide), [n, groups, (c / groups) * sizeOf(x.shape.slice(2))]);
  const normal = reshape(instanceNormalization(rows, ofGroups(1), ofGroups(0), epsilon), x.shape);
  const perChannel = (v: Value) => reshape(cast(v, wide), [c, ...x.shape.slice(2).map(() => 1)]);
  const y = add(mul(normal, perChannel(gamma)), perChannel(beta));
  const active = cast(activation === 0 ? y : mul(y, sigmoid(y)), x.type);
  return channels_last === 0 ? active : transpose(active, [0, ...middle.map((axis) => axis + 1), 1]);
}
