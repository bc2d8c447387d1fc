/** What the tasks' synthetic samples are made of: scenes, poses of their layers, photographs. */
import { Random } from "../../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { Affine } from "./affine.js";
import { encode } from "./light.js";
import { render } from "./render.js";
import type { SyntheticSettings } from "./rule.js";
import { composeScene, poseAt, type Scene, type SceneOptions } from "./scene.js";

export function sceneFor(settings: SyntheticSettings, index: number, content: Pick<SceneOptions, "shadow" | "content">): Scene {
  const { width, height, seed, task, kinds } = settings;
  const displacement = settings.displacement * Math.min(width, height);
  return composeScene(new Random(seed, `synthetic/${task}/${index}`), { width, height, displacement, kinds, ...content });
}

export function posesAt(scene: Scene, time: number): Affine[] {
  return scene.layers.map((layer) => poseAt(scene, layer, time));
}

export function photograph(scene: Scene, poses: readonly Affine[]): Tensor<"float32"> {
  return imageOf(scene, encode(render(scene, poses).light));
}

export function imageOf({ width, height }: Scene, values: Float32Array): Tensor<"float32"> {
  return tensor("float32", [3, height, width], values);
}

export function idOf(index: number): string {
  return `synthetic/${index}`;
}

/** d = constant + x slopeX + y slopeY, in pixels of the picture. */
export type Plane = readonly [slopeX: number, slopeY: number, constant: number];

/**
 * Disparities of a scene's layers, whose largest is `largest`: the backdrop leans like a floor, from 0.15 to 0.3 of it; each layer lies wholly
 * before the last.
 */
export function disparityPlanes(scene: Scene, largest: number, random: Random): Plane[] {
  return scene.layers.map((_, i) => disparityPlane(scene, i, largest, random));
}

function disparityPlane({ layers, height }: Scene, index: number, largest: number, random: Random): Plane {
  if (index === 0) return [0, (0.15 * largest) / (height - 1), 0.15 * largest];
  const { x, y, tile, nearness } = layers[index]!;
  // Half the step from one layer to the next, spread over the layer's radius.
  const lean = (0.25 * largest * 0.5) / (layers.length - 1) / tile.originX;
  const [slopeX, slopeY] = [random.uniform(-lean, lean), random.uniform(-lean, lean)];
  return [slopeX, slopeY, 0.95 * nearness * largest - slopeX * x - slopeY * y];
}
