import type { Random } from "../../engine/tensor/random.js";
import { type Shape, sizeOf } from "../../engine/tensor/tensor.js";

/** Fills a new parameter of the given shape; draws come from a stream of the parameter's own. */
export type Initializer = (shape: Shape, random: Random) => Float32Array;

/** The numbers of inputs and outputs of one unit, as PyTorch counts them: dimensions 1 and 0 of the weight times the kernel's size. */
export interface Fans {
  readonly in: number;
  readonly out: number;
}

/**
 * @param shape of a weight: [out, in / groups, ...kernel] of a convolution, [in, out / groups, ...kernel] of a transposed one (whose fans
 *   PyTorch thereby swaps; so does this), [out, in] of a linear layer.
 * @throws RangeError for fewer than two dimensions.
 */
export function fans(shape: Shape): Fans {
  const [first, second, ...kernel] = shape;
  if (first === undefined || second === undefined)
    throw new RangeError(`Fans need a weight of at least two dimensions, not [${shape.join(", ")}].`);
  return { in: second * sizeOf(kernel), out: first * sizeOf(kernel) };
}

export const constant =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(sizeOf(shape)).fill(value);

export const zeros = constant(0);
export const ones = constant(1);

export const uniform = (low: number, high: number): Initializer => filled((random) => random.uniform(low, high));

export const normal = (mean: number, deviation: number): Initializer => filled((random) => random.normal(mean, deviation));

/** Normal with mean 0, redrawn until it lies in [low, high] (absolute bounds, as `torch.nn.init.trunc_normal_`). */
export const truncatedNormal = (deviation: number, low = -2, high = 2): Initializer =>
  filled((random) => {
    for (;;) {
      const value = random.normal(0, deviation);
      if (value >= low && value <= high) return value;
    }
  });

/**
 * He et al. 2015, uniform: bound = √(6 / ((1 + a²) fan)). PyTorch's default for convolution and linear weights is fan-in with a = √5, that
 * is a bound of 1/√fan_in.
 */
export const kaimingUniform =
  (a = 0, fan: keyof Fans = "in"): Initializer =>
  (shape, random) => {
    const bound = Math.sqrt(6 / ((1 + a * a) * fans(shape)[fan]));
    return uniform(-bound, bound)(shape, random);
  };

/** He et al. 2015, normal: deviation = √(2 / ((1 + a²) fan)). torchvision's ResNets use fan-out. */
export const kaimingNormal =
  (fan: keyof Fans = "in", a = 0): Initializer =>
  (shape, random) =>
    normal(0, Math.sqrt(2 / ((1 + a * a) * fans(shape)[fan])))(shape, random);

/** Glorot & Bengio 2010, uniform: bound = √(6 / (fan_in + fan_out)). */
export const xavierUniform: Initializer = (shape, random) => {
  const fan = fans(shape);
  const bound = Math.sqrt(6 / (fan.in + fan.out));
  return uniform(-bound, bound)(shape, random);
};

/** Glorot & Bengio 2010, normal: deviation = √(2 / (fan_in + fan_out)). */
export const xavierNormal: Initializer = (shape, random) => {
  const fan = fans(shape);
  return normal(0, Math.sqrt(2 / (fan.in + fan.out)))(shape, random);
};

/** PyTorch's default for convolution and linear weights. */
export const defaultWeight = kaimingUniform(Math.sqrt(5));

/** PyTorch's default for their biases: uniform in ±1/√fan_in of the weight. */
export const defaultBias = (weight: Shape): Initializer => {
  const bound = 1 / Math.sqrt(fans(weight).in);
  return uniform(-bound, bound);
};

function filled(draw: (random: Random) => number): Initializer {
  return (shape, random) => {
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = draw(random);
    return values;
  };
}
