/** Draws a scene back to front, by inverse mapping: each pixel asks the layer's tile for its color and distance. */
import { type Affine, invert } from "./affine.js";
import { smoothStep } from "./noise.js";
import { type Scene, shadowReach } from "./scene.js";
import type { Tile } from "./tile.js";

/** How dark a shadow is at its darkest. */
const shadowStrength = 0.45;

export interface View {
  /** Linear light, planar `[3, H, W]`. */
  readonly light: Float32Array;
  /** The index of the layer seen at each pixel's center. */
  readonly owner: Uint8Array;
}

/** Draws the scene with each layer at the pose given (from the layer's own coordinates to the picture's). */
export function render(scene: Scene, poses: readonly Affine[]): View {
  const area = scene.width * scene.height;
  const view = { light: new Float32Array(3 * area), owner: new Uint8Array(area) };
  scene.layers.forEach(({ tile, kind }, index) => {
    const pose = poses[index]!;
    if (kind === "background") drawBackground(scene, tile, invert(pose), view.light);
    else {
      if (scene.shadow === "soft") drawShadow(scene, tile, pose, view.light);
      drawObject(scene, tile, pose, index, view);
    }
  });
  return view;
}

/** Signed distance in pixels at a point of the picture; positive (outside) beyond the tile. */
export function distanceAt({ width, height, originX, originY, texels }: Tile, inverse: Affine, x: number, y: number): number {
  const u = inverse[0] * x + inverse[1] * y + inverse[2] + originX;
  const v = inverse[3] * x + inverse[4] * y + inverse[5] + originY;
  if (u < 0 || v < 0 || u >= width - 1 || v >= height - 1) return 1e3;
  const column = Math.floor(u);
  const row = Math.floor(v);
  const at = 4 * (row * width + column) + 3;
  const below = at + 4 * width;
  const s = u - column;
  const top = texels[at]! + (texels[at + 4]! - texels[at]!) * s;
  return top + (texels[below]! + (texels[below + 4]! - texels[below]!) * s - top) * (v - row);
}

/** The backdrop fills the picture; beyond its tile its edge goes on. */
function drawBackground({ width, height }: Scene, tile: Tile, inverse: Affine, light: Float32Array): void {
  const area = width * height;
  const { texels, width: columns, height: rows } = tile;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const u = Math.min(columns - 1.001, Math.max(0, inverse[0] * x + inverse[1] * y + inverse[2] + tile.originX));
      const v = Math.min(rows - 1.001, Math.max(0, inverse[3] * x + inverse[4] * y + inverse[5] + tile.originY));
      const column = u | 0;
      const row = v | 0;
      const at = 4 * (row * columns + column);
      const below = at + 4 * columns;
      const s = u - column;
      const t = v - row;
      const [a, b, c, d] = [(1 - s) * (1 - t), s * (1 - t), (1 - s) * t, s * t];
      light[i] = a * texels[at]! + b * texels[at + 4]! + c * texels[below]! + d * texels[below + 4]!;
      light[area + i] = a * texels[at + 1]! + b * texels[at + 5]! + c * texels[below + 1]! + d * texels[below + 5]!;
      light[2 * area + i] = a * texels[at + 2]! + b * texels[at + 6]! + c * texels[below + 2]! + d * texels[below + 6]!;
    }
  }
}

function drawObject(scene: Scene, tile: Tile, pose: Affine, index: number, { light, owner }: View): void {
  const { width } = scene;
  const area = width * scene.height;
  const { texels, width: columns } = tile;
  const inverse = invert(pose);
  const scale = Math.sqrt(pose[0] * pose[4] - pose[1] * pose[3]);
  const box = boundsOf(scene, tile, pose, 0);
  for (let y = box.top; y <= box.bottom; y++) {
    for (let x = box.left; x <= box.right; x++) {
      const u = inverse[0] * x + inverse[1] * y + inverse[2] + tile.originX;
      const v = inverse[3] * x + inverse[4] * y + inverse[5] + tile.originY;
      if (u < 0 || v < 0 || u >= columns - 1 || v >= tile.height - 1) continue;
      const column = u | 0;
      const row = v | 0;
      const at = 4 * (row * columns + column);
      if (texels[at + 3]! > 3) continue;
      const below = at + 4 * columns;
      const s = u - column;
      const t = v - row;
      const [a, b, c, d] = [(1 - s) * (1 - t), s * (1 - t), (1 - s) * t, s * t];
      const distance = a * texels[at + 3]! + b * texels[at + 7]! + c * texels[below + 3]! + d * texels[below + 7]!;
      // A pixel is covered by the share that a straight edge at this distance leaves of it.
      const coverage = Math.min(1, 0.5 - distance * scale);
      if (coverage <= 0) continue;
      const i = y * width + x;
      if (distance <= 0) owner[i] = index;
      const red = a * texels[at]! + b * texels[at + 4]! + c * texels[below]! + d * texels[below + 4]!;
      const green = a * texels[at + 1]! + b * texels[at + 5]! + c * texels[below + 1]! + d * texels[below + 5]!;
      const blue = a * texels[at + 2]! + b * texels[at + 6]! + c * texels[below + 2]! + d * texels[below + 6]!;
      light[i]! += coverage * (red - light[i]!);
      light[area + i]! += coverage * (green - light[area + i]!);
      light[2 * area + i]! += coverage * (blue - light[2 * area + i]!);
    }
  }
}

/** Darkens what lies below and to the right: the light comes from above left. */
function drawShadow(scene: Scene, tile: Tile, pose: Affine, light: Float32Array): void {
  const { width, height } = scene;
  const area = width * height;
  const reach = shadowReach(Math.min(width, height));
  const inverse = invert(pose);
  const box = boundsOf(scene, tile, pose, reach);
  for (let y = box.top; y <= box.bottom; y++) {
    for (let x = box.left; x <= box.right; x++) {
      const distance = distanceAt(tile, inverse, x - 0.6 * reach, y - 0.8 * reach);
      if (distance >= reach) continue;
      const left = 1 - shadowStrength * (1 - smoothStep(-reach, reach, distance));
      const i = y * width + x;
      light[i]! *= left;
      light[area + i]! *= left;
      light[2 * area + i]! *= left;
    }
  }
}

/** The pixels that a tile may touch, widened by `extra`. */
function boundsOf({ width, height }: Scene, tile: Tile, pose: Affine, extra: number) {
  const [left, right] = [-tile.originX, tile.width - 1 - tile.originX];
  const [top, bottom] = [-tile.originY, tile.height - 1 - tile.originY];
  const corners = [left, right].flatMap((x) => [top, bottom].map((y) => [x, y] as const));
  const xs = corners.map(([x, y]) => pose[0] * x + pose[1] * y + pose[2]);
  const ys = corners.map(([x, y]) => pose[3] * x + pose[4] * y + pose[5]);
  return {
    left: Math.max(0, Math.ceil(Math.min(...xs) - extra)),
    right: Math.min(width - 1, Math.floor(Math.max(...xs) + extra)),
    top: Math.max(0, Math.ceil(Math.min(...ys) - extra)),
    bottom: Math.min(height - 1, Math.floor(Math.max(...ys) + extra)),
  };
}
