import { add, clip, mul, reshape, slice, sub } from "../../../engine/operators/index.js";
import type { TransformOf } from "./transform.js";

const contrast = 0.2;
const brightness = 0.1;

/** Another exposure: (1 + 0.2 n₁)(x - ½) + ½ + 0.1 n₂, clipped to [0, 1]. */
export const brightnessContrast: TransformOf = (samples) => ({
  name: "brightness-contrast",
  samples,
  moves: "nothing",
  noise: ([b]) => [b!, 2],
  apply: (image, noise) => {
    const [n1, n2] = [0, 1].map((i) => reshape(slice(noise, [i], [i + 1], { axes: [1] }), [image.shape[0]!, 1, 1, 1]));
    const stretched = mul(sub(image, 0.5), add(mul(n1!, contrast), 1));
    return clip(add(stretched, add(mul(n2!, brightness), 0.5)), 0, 1);
  },
});
