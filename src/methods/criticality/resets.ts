import { Random } from "../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import {
  defaultBias,
  defaultWeight,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  ones,
  truncatedNormal,
  xavierUniform,
  zeros,
} from "../../vision/nn/initializers.js";
import { CriticalityError } from "./error.js";
import type { Layer, Parameter } from "./layer.js";

/** New tensors for a layer's parameters, by the parameter's name; those that are left out keep their trained values. */
export type LayerReset = ReadonlyMap<string, Tensor>;

/** Where new values come from. Draws depend on seed, trial and the tensor's name only, so trials run in any order on any machine. */
export type ResetSource = (layer: Layer, trial: number) => LayerReset;

/**
 * What a layer is reset to:
 *
 * | name | weights | biases | normalization |
 * |---|---|---|---|
 * | framework | convolution: He et al. 2015 normal, fan-out; linear: PyTorch's default | PyTorch's default | weight 1, bias 0 |
 * | pytorch | PyTorch's default: uniform ±1/√fan_in | the same | 1, 0 |
 * | kaiming-uniform | He et al. 2015: uniform ±√(6 / fan_in) | 0 | 1, 0 |
 * | xavier-uniform | Glorot & Bengio 2010: uniform ±√(6 / (fan_in + fan_out)) | 0 | 1, 0 |
 * | truncated-normal | deviation 0.02, cut at ±2, as vision transformers have it | 0 | 1, 0 |
 * | zeros | 0 | 0 | 0, 0 |
 * | permutation | the layer's own, shuffled | own, shuffled | own, shuffled |
 * | gaussian | normal with the tensor's own mean and deviation | the same | the same |
 *
 * "framework" is what the published study does (timm's ResNet). Running statistics of batch normalization become 0 and 1 where the source
 * draws afresh and `statistics` is "reset"; zeros, permutation and gaussian speak of parameters and leave them.
 */
export const schemes = {
  framework: fresh({ convolution: kaimingNormal("out"), linear: defaultWeight, bias: defaultBias }),
  pytorch: fresh({ convolution: defaultWeight, linear: defaultWeight, bias: defaultBias }),
  "kaiming-uniform": fresh({ convolution: kaimingUniform(), linear: kaimingUniform(), bias: () => zeros }),
  "xavier-uniform": fresh({ convolution: xavierUniform, linear: xavierUniform, bias: () => zeros }),
  "truncated-normal": fresh({ convolution: truncatedNormal(0.02), linear: truncatedNormal(0.02), bias: () => zeros }),
  zeros: ofParameters((values) => values.map(() => 0)),
  permutation: ofParameters((values, random) => random.permutation(values.length).map((i) => values[i]!)),
  gaussian: ofParameters((values, random) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
    return values.map(() => random.normal(mean, deviation));
  }),
} satisfies Record<string, Scheme>;

export type SchemeName = keyof typeof schemes;

type Scheme = (parameter: Parameter, layer: Layer, random: Random) => Tensor | undefined;

/** The scheme as a source of resets. */
export const schemeSource =
  (name: SchemeName, seed: number | string): ResetSource =>
  (layer, trial) =>
    new Map(
      layer.parameters.flatMap((p) => {
        const value = schemes[name](p, layer, new Random(seed, `criticality/${p.inFile.name}/${layer.name}/${trial}`));
        return value ? [[p.name, value] as const] : [];
      }),
    );

interface Draws {
  readonly convolution: Initializer;
  readonly linear: Initializer;
  readonly bias: (weight: Shape) => Initializer;
}

function fresh({ convolution, linear, bias }: Draws): Scheme {
  return ({ role, trained, layout }, { kind, parameters }, random) => {
    const fill = (values: ArrayLike<number>) => tensor(trained.type, trained.shape, values);
    if (role === "mean") return fill(zeros(trained.shape, random));
    if (role === "variance") return fill(ones(trained.shape, random));
    if (kind === "batch normalization" || kind === "normalization")
      return fill((role === "weight" ? ones : zeros)(trained.shape, random));
    if (role === "bias") return fill(bias(torchShape(parameters[0]!))(trained.shape, random));
    const drawn = (kind === "linear" ? linear : convolution)(torchShape({ trained, layout }), random);
    return fill(layout === "in-out" ? transposed(drawn, trained.shape.toReversed()) : drawn);
  };
}

function ofParameters(change: (values: number[], random: Random) => number[]): Scheme {
  return ({ role, trained }, _, random) =>
    role === "weight" || role === "bias" ? tensor(trained.type, trained.shape, change(toNumbers(trained), random)) : undefined;
}

/** The shape in PyTorch's layout, from which it counts fans. */
const torchShape = ({ trained, layout }: Pick<Parameter, "trained" | "layout">): Shape =>
  layout === "in-out" ? trained.shape.toReversed() : trained.shape;

/** [rows, columns] -> [columns, rows] */
export function transposed<T extends ArrayLike<number>>(values: T, [rows, columns]: Shape): number[] {
  return Array.from({ length: rows! * columns! }, (_, i) => values[(i % rows!) * columns! + Math.floor(i / rows!)]!);
}

// ---- what is done with the new values ---------------------------------------------------------------------------------------------

/** Running statistics keep their trained values: batch normalization means its two parameters alone. */
export const keepingStatistics =
  (source: ResetSource): ResetSource =>
  (layer, trial) => {
    const statistics = new Set(layer.parameters.filter((p) => p.role === "mean" || p.role === "variance").map((p) => p.name));
    return new Map([...source(layer, trial)].filter(([name]) => !statistics.has(name)));
  };

/** Resets only a share of the output channels, the same ones in every tensor of the layer. */
export function onShareOfChannels(source: ResetSource, share: number, seed: number | string): ResetSource {
  if (!(share > 0 && share <= 1))
    throw new CriticalityError(`The share of channels to reset is above 0 and at most 1, not ${share}.`);
  return (layer, trial) => {
    const channels = channelCount(layer.parameters[0]!);
    const order = new Random(seed, `criticality/channels/${layer.name}/${trial}`).permutation(channels);
    const chosen = new Set(order.slice(0, Math.max(1, Math.round(share * channels))));
    return mapReset(layer, source(layer, trial), (parameter, value, trained) => {
      const channelOf = channelIndex(parameter);
      return (i) => (chosen.has(channelOf(i)) ? value(i) : trained(i));
    });
  };
}

/** (1 - t) trained + t reset: t = 0 changes nothing, t = 1 is the reset itself. */
export function interpolated(source: ResetSource, t: number): ResetSource {
  if (!(t >= 0 && t <= 1)) throw new CriticalityError(`The way from trained to reset goes from 0 to 1, not to ${t}.`);
  return (layer, trial) =>
    mapReset(
      layer,
      source(layer, trial),
      (_, value, trained) => (i) => (t === 0 ? trained(i) : (1 - t) * trained(i) + t * value(i)),
    );
}

type At = (index: number) => number;

function mapReset(layer: Layer, reset: LayerReset, combine: (parameter: Parameter, value: At, trained: At) => At): LayerReset {
  return new Map(
    layer.parameters.flatMap((p) => {
      const value = reset.get(p.name);
      if (!value) return [];
      const [a, b] = [toNumbers(value), toNumbers(p.trained)];
      const at = combine(
        p,
        (i) => a[i]!,
        (i) => b[i]!,
      );
      return [
        [
          p.name,
          tensor(
            p.trained.type,
            p.trained.shape,
            a.map((_, i) => at(i)),
          ),
        ] as const,
      ];
    }),
  );
}

function channelCount({ layout, trained: { shape } }: Parameter): number {
  if (layout === "per channel") return sizeOf(shape);
  return layout === "convolution" || layout === "out-in" ? shape[0]! : shape[1]!;
}

function channelIndex(parameter: Parameter): At {
  const { layout, trained } = parameter;
  const channels = channelCount(parameter);
  const inner =
    layout === "per channel" ? 1 : sizeOf(trained.shape.slice(layout === "convolution" || layout === "out-in" ? 1 : 2));
  return (i) => Math.floor(i / inner) % channels;
}
