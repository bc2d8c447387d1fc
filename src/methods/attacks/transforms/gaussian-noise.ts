import { add, clip, cos, log, mul, slice, sqrt } from "../../../engine/operators/index.js";
import type { TransformOf } from "./transform.js";

const deviation = 4 / 255;

/** Sensor noise: x + σ n with σ = 4/255, clipped to [0, 1]. */
export const gaussianNoise: TransformOf = (samples) => ({
  name: "gaussian-noise",
  samples,
  moves: "nothing",
  noise: ([b, c, h, w]) => [b!, 2 * c!, h!, w!],
  apply: (image, noise) => {
    const channels = image.shape[1]!;
    const [first, second] = [0, channels].map((from) => slice(noise, [from], [from + channels], { axes: [1] }));
    // Box and Muller 1958: √(-2 ln u) cos(2π v) is normal for uniform u in (0, 1] and v in [0, 1).
    const u = clip(add(mul(first!, 0.5), 0.5), 1e-7, 1);
    const normal = mul(sqrt(mul(log(u), -2)), cos(mul(second!, Math.PI)));
    return clip(add(image, mul(normal, deviation)), 0, 1);
  },
});
