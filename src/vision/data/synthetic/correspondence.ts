/** Exact correspondence between two views of a scene. */
import { tensor } from "../../../engine/tensor/tensor.js";
import type { Correspondence } from "../formats/correspondence.js";
import { type Affine, compose, invert } from "./affine.js";
import { distanceAt, type View } from "./render.js";
import type { Scene } from "./scene.js";

/**
 * Forward flow from the first view to the second, float32 `[2, H, W]`: the layer seen at a pixel's center moves by second . first^-1.
 * It is exact everywhere; `valid` is 1 where the same point of the surface is also seen in the second view: inside the picture and
 * behind no other layer.
 */
export function flowBetween(scene: Scene, first: View, from: readonly Affine[], to: readonly Affine[]): Correspondence {
  const { width, height, layers } = scene;
  const area = width * height;
  const moves = from.map((pose, i) => compose(to[i]!, invert(pose)));
  const inverses = to.map(invert);
  const flow = new Float32Array(2 * area);
  const valid = new Uint8Array(area);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const owner = first.owner[i]!;
      const move = moves[owner]!;
      const u = move[0] * x + move[1] * y + move[2];
      const v = move[3] * x + move[4] * y + move[5];
      flow[i] = u - x;
      flow[area + i] = v - y;
      let seen = u >= 0 && v >= 0 && u <= width - 1 && v <= height - 1;
      for (let j = owner + 1; seen && j < layers.length; j++) seen = distanceAt(layers[j]!.tile, inverses[j]!, u, v) > 0;
      valid[i] = seen ? 1 : 0;
    }
  }
  return { target: tensor("float32", [2, height, width], flow), valid: tensor("bool", [height, width], valid) };
}
