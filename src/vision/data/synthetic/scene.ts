/** A scene: textured shapes in front of a backdrop, each with its place, its depth and its motion. */
import type { Random } from "../../../engine/tensor/random.js";
import { type Affine, compose, similarity } from "./affine.js";
import { mix, randomPalette } from "./palette.js";
import type { ShapeKind } from "./shapes.js";
import { paintBackground, paintObject, type Tile } from "./tile.js";

export interface Layer {
  readonly kind: ShapeKind | "background";
  readonly tile: Tile;
  /** At time 0. */
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  /** 0 = far, 1 = near: how much of the camera's shift, and of the largest disparity, the layer takes. */
  readonly nearness: number;
  readonly motion: Motion;
}

/** Change within one unit of time: one exposure, or from one frame to the next. */
export interface Motion {
  /** Pixels; the path is x t + bendX t^2. */
  readonly x: number;
  readonly y: number;
  readonly bendX: number;
  readonly bendY: number;
  /** Radians. */
  readonly angle: number;
  /** Natural logarithm of the scale. */
  readonly growth: number;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  /** Back to front; the first is the backdrop. */
  readonly layers: readonly Layer[];
  readonly camera: Motion;
  readonly shadow: Shadow;
}

/** Shadows change the color of what lies beneath, which has its own motion: scenes for exact correspondence have none. */
export type Shadow = "none" | "soft";

export interface SceneOptions {
  readonly width: number;
  readonly height: number;
  /** The largest shift of a layer in one unit of time, in pixels. */
  readonly displacement: number;
  readonly shadow: Shadow;
  /** "several" shapes of random kind, or a single large one of the kind given. */
  readonly content: "several" | ShapeKind;
  /** Kinds that several shapes are of. */
  readonly kinds: readonly ShapeKind[];
}

/**
 * Composes a scene. The same random stream gives the same scene.
 *
 * @example composeScene(new Random(1), { width: 128, height: 96, displacement: 8, shadow: "soft", content: "several", kinds: shapeKinds })
 */
export function composeScene(random: Random, options: SceneOptions): Scene {
  const { width, height, displacement, shadow, content, kinds } = options;
  const short = Math.min(width, height);
  const palette = randomPalette(random);
  const margin = Math.ceil(1.5 * displacement + 0.06 * short + 2);
  const backdrop: Layer = {
    ...{ kind: "background", tile: paintBackground(random, palette, width, height, margin), x: 0, y: 0, angle: 0, nearness: 0.5 },
    motion: still,
  };
  const count = content === "several" ? 6 + random.integer(4) : 1;
  const radii = Array.from({ length: count }, () =>
    content === "several" ? short * random.uniform(0.1, 0.25) : short * random.uniform(0.26, 0.38),
  ).sort((a, b) => b - a);
  const places = spread(random, radii, width, height);
  const colors = random.permutation(palette.objects.length);
  const objects = radii.map((radius, i): Layer => {
    const kind = content === "several" ? kinds[random.integer(kinds.length)]! : content;
    const base = palette.objects[colors[i % colors.length]!]!;
    const other = palette.objects[colors[(i + 1 + random.integer(colors.length - 1)) % colors.length]!]!;
    const accent =
      random.uniform() < 0.5 ? mix(base, [0, 0, 0], random.uniform(0.3, 0.6)) : mix(base, other, random.uniform(0.5, 1));
    return {
      kind,
      tile: paintObject(random, kind, radius, shadow === "none" ? 2 : Math.ceil(shadowReach(short)) + 2, base, accent),
      ...places[i]!,
      angle: random.uniform(-Math.PI, Math.PI),
      nearness: 0.5 + (0.5 * (i + 1)) / count,
      motion: randomMotion(random, 0.4 * displacement, displacement / (4 * radius)),
    };
  });
  const camera = randomMotion(random, 0.6 * displacement, (0.3 * displacement) / short);
  return { width, height, layers: [backdrop, ...objects], camera, shadow };
}

/** Where a layer's own coordinates lie in the picture at a time: its own motion, then the camera's about the picture's center. */
export function poseAt({ width, height, camera }: Scene, layer: Layer, time: number): Affine {
  const { motion } = layer;
  const own = similarity(
    layer.x + motion.x * time + motion.bendX * time * time,
    layer.y + motion.y * time + motion.bendY * time * time,
    layer.angle + motion.angle * time,
    Math.exp(motion.growth * time),
  );
  const [centerX, centerY] = [(width - 1) / 2, (height - 1) / 2];
  const view = similarity(
    centerX + layer.nearness * (camera.x * time + camera.bendX * time * time),
    centerY + layer.nearness * (camera.y * time + camera.bendY * time * time),
    camera.angle * time,
    Math.exp(camera.growth * time),
  );
  return compose(compose(view, [1, 0, -centerX, 0, 1, -centerY]), own);
}

/** How far a soft shadow reaches beyond its shape, in pixels. */
export function shadowReach(short: number): number {
  return 0.035 * short;
}

const still: Motion = { x: 0, y: 0, bendX: 0, bendY: 0, angle: 0, growth: 0 };

function randomMotion(random: Random, shift: number, turn: number): Motion {
  const direction = random.uniform(0, 2 * Math.PI);
  const speed = shift * Math.sqrt(random.uniform(0.05, 1));
  const bend = shift * random.uniform(-0.5, 0.5);
  return {
    x: speed * Math.cos(direction),
    y: speed * Math.sin(direction),
    bendX: -bend * Math.sin(direction),
    bendY: bend * Math.cos(direction),
    angle: random.uniform(-turn, turn),
    growth: random.uniform(-turn, turn) / 2,
  };
}

/** Each center is that of ten candidates which is farthest from those before it, measured in radii. */
function spread(random: Random, radii: readonly number[], width: number, height: number): { x: number; y: number }[] {
  const places: { x: number; y: number }[] = [];
  radii.forEach((radius, i) => {
    const inset = radii.length === 1 ? 1 : 0.3;
    const candidates = Array.from({ length: 10 }, () => {
      const x = random.uniform(inset * radius, width - 1 - inset * radius);
      const y = random.uniform(inset * radius, height - 1 - inset * radius);
      const room = Math.min(...places.slice(0, i).map((p, j) => Math.hypot(p.x - x, p.y - y) / (radius + radii[j]!)));
      return { x, y, room };
    });
    const { x, y } = candidates.reduce((best, c) => (c.room > best.room ? c : best));
    places.push({ x, y });
  });
  return places;
}
