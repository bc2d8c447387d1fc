import { Random } from "../../../engine/tensor/random.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import type { Sample } from "../../data/dataset.js";
import { encode } from "../../data/synthetic/light.js";
import { render } from "../../data/synthetic/render.js";
import type { SyntheticSettings } from "../../data/synthetic/rule.js";
import { disparityPlanes, idOf, imageOf, posesAt, sceneFor } from "../../data/synthetic/shots.js";

/** Meters times disparity, where the largest disparity is 1. */
const baseline = 1.5;

/**
 * A scene of slanted layers, arranged in depth like those of the stereo scenes, with the depth of each pixel in meters: 1.5 over its disparity, which
 * is from 0.5 to 1 on the layers and from 0.15 to 0.3 on the backdrop. Exact everywhere.
 */
export function depthScene(settings: SyntheticSettings, index: number): Sample {
  const scene = sceneFor(settings, index, { shadow: "soft", content: "several" });
  const view = render(scene, posesAt(scene, 0));
  const planes = disparityPlanes(scene, 1, new Random(settings.seed, `synthetic/slants/${index}`));
  const { width, height } = scene;
  const depth = Float32Array.from(view.owner, (owner, i) => {
    const [slopeX, slopeY, constant] = planes[owner]!;
    return baseline / (constant + slopeX * (i % width) + slopeY * Math.floor(i / width));
  });
  return {
    id: idOf(index),
    inputs: { image: imageOf(scene, encode(view.light)) },
    target: tensor("float32", [1, height, width], depth),
    valid: tensor("bool", [height, width], new Uint8Array(width * height).fill(1)),
  };
}
