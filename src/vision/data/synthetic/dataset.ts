/**
 * Synthetic datasets: seeded, procedural pictures with exact truth, of any size, without a file. Sample i depends on the seed, the task
 * and i alone, so that workers may take any of them in any order.
 */
import { Random } from "../../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { type Dataset, datasetOf, type Labelling, type Sample, type TaskName } from "../dataset.js";
import { DataError } from "../error.js";
import type { Affine } from "./affine.js";
import { flowBetween } from "./correspondence.js";
import { type Averaging, encode, encodedMean } from "./light.js";
import { render } from "./render.js";
import { composeScene, poseAt, type Scene, type SceneOptions } from "./scene.js";
import { shapeKinds } from "./shapes.js";

export interface SyntheticOptions {
  readonly task: TaskName;
  /** Pixels: the side of a square, or height and width; at least 16. */
  readonly size: number | { readonly height: number; readonly width: number };
  /** Number of samples. */
  readonly length: number;
  readonly seed: number | string;
  /** The largest shift (in an exposure, from frame to frame, from left to right) as a share of the shorter side. Default 0.08. */
  readonly displacement?: number;
  /**
   * Deblurring: how many sharp frames make a blurred one, an odd number so that one is in the middle. Default 9, and more where the
   * displacement is above 13 pixels: one for every pixel and a half, so that no ghosts of the frames are seen.
   */
  readonly subframes?: number;
  /**
   * Deblurring: what is averaged. "light": linear light, as a sensor does and as GoPro's `blur_gamma` was made (default); "stored": the
   * stored values, as GoPro's `blur` was made.
   */
  readonly averaging?: Averaging;
}

type Resolved = Required<Omit<SyntheticOptions, "size">> & { readonly width: number; readonly height: number };

/**
 * A synthetic dataset for any task.
 *
 * - classification: one large shape; the class is its kind, i mod 8, so that every eight samples are balanced.
 * - segmentation: several shapes; class 0 is the backdrop, 1 + kind the shapes.
 * - restoration: `image` is the mean of `subframes` frames of one exposure, the target the middle frame.
 * - flow: two frames; the flow is exact everywhere, `valid` marks points seen in both.
 * - disparity: a rectified pair of slanted layers; exact everywhere, `valid` marks points seen in both.
 *
 * @example const { inputs, target } = await syntheticDataset({ task: "flow", size: 128, length: 100, seed: 1 }).sample(0)
 * @throws DataError when an option is out of range.
 */
export function syntheticDataset(options: SyntheticOptions): Dataset {
  const resolved = resolve(options);
  const { task, width, height, length, seed } = resolved;
  const indices = Array.from({ length }, (_, i) => i);
  const description = `${length} synthetic samples for ${task}, ${width}x${height} pixels, seed ${seed}.`;
  return datasetOf(labellingOf(task), indices, description, async (index) => makers[task](resolved, index));
}

const makers: Record<TaskName, (options: Resolved, index: number) => Sample> = {
  classification(options, index) {
    const kind = index % shapeKinds.length;
    const scene = sceneFor(options, index, { shadow: "soft", content: shapeKinds[kind]! });
    return { id: idOf(index), inputs: { image: photograph(scene, posesAt(scene, 0)) }, target: tensor("int64", [], [kind]) };
  },

  segmentation(options, index) {
    const scene = sceneFor(options, index, { shadow: "soft", content: "several" });
    const view = render(scene, posesAt(scene, 0));
    const classes = scene.layers.map(({ kind }) => (kind === "background" ? 0 : 1 + shapeKinds.indexOf(kind)));
    const labels = Int32Array.from(view.owner, (layer) => classes[layer]!);
    const image = imageOf(scene, encode(view.light));
    return { id: idOf(index), inputs: { image }, target: tensor("int32", [scene.height, scene.width], labels) };
  },

  restoration(options, index) {
    const { subframes, averaging } = options;
    const scene = sceneFor(options, index, { shadow: "soft", content: "several" });
    const frames = Array.from(
      { length: subframes },
      (_, i) => render(scene, posesAt(scene, subframes === 1 ? 0 : i / (subframes - 1) - 0.5)).light,
    );
    return {
      id: idOf(index),
      inputs: { image: imageOf(scene, encodedMean(frames, averaging)) },
      target: imageOf(scene, encode(frames[(subframes - 1) / 2]!)),
    };
  },

  flow(options, index) {
    const scene = sceneFor(options, index, { shadow: "none", content: "several" });
    const [from, to] = [posesAt(scene, 0), posesAt(scene, 1)];
    const first = render(scene, from);
    return {
      id: idOf(index),
      inputs: { image1: imageOf(scene, encode(first.light)), image2: photograph(scene, to) },
      ...flowBetween(scene, first, from, to),
    };
  },

  disparity(options, index) {
    const scene = sceneFor(options, index, { shadow: "none", content: "several" });
    const left = posesAt(scene, 0);
    const slants = new Random(options.seed, `synthetic/slants/${index}`);
    const largest = options.displacement * Math.min(scene.width, scene.height);
    const right = left.map((pose, i) => shiftLeft(pose, disparityPlane(scene, i, largest, slants)));
    const first = render(scene, left);
    const { target, valid } = flowBetween(scene, first, left, right);
    const disparity = target.data.subarray(0, scene.width * scene.height).map((u) => -u);
    return {
      id: idOf(index),
      inputs: { left: imageOf(scene, encode(first.light)), right: photograph(scene, right) },
      target: tensor("float32", [1, scene.height, scene.width], disparity),
      valid,
    };
  },
};

/** d = constant + x slopeX + y slopeY, in pixels of the left picture. */
type Plane = readonly [slopeX: number, slopeY: number, constant: number];

/** The backdrop leans like a floor, from 0.15 to 0.3 of the largest disparity; each layer lies wholly before the last. */
function disparityPlane({ layers, height }: Scene, index: number, largest: number, random: Random): Plane {
  if (index === 0) return [0, (0.15 * largest) / (height - 1), 0.15 * largest];
  const { x, y, tile, nearness } = layers[index]!;
  // Half the step from one layer to the next, spread over the layer's radius.
  const lean = (0.25 * largest * 0.5) / (layers.length - 1) / tile.originX;
  const [slopeX, slopeY] = [random.uniform(-lean, lean), random.uniform(-lean, lean)];
  return [slopeX, slopeY, 0.95 * nearness * largest - slopeX * x - slopeY * y];
}

/** A point at x in the left picture lies at x - d in the right one. */
function shiftLeft([a, b, c, d, e, f]: Affine, [slopeX, slopeY, constant]: Plane): Affine {
  return [a - slopeX * a - slopeY * d, b - slopeX * b - slopeY * e, c - slopeX * c - slopeY * f - constant, d, e, f];
}

function sceneFor(options: Resolved, index: number, content: Pick<SceneOptions, "shadow" | "content">): Scene {
  const { width, height, seed, task } = options;
  const displacement = options.displacement * Math.min(width, height);
  return composeScene(new Random(seed, `synthetic/${task}/${index}`), { width, height, displacement, ...content });
}

function posesAt(scene: Scene, time: number): Affine[] {
  return scene.layers.map((layer) => poseAt(scene, layer, time));
}

function photograph(scene: Scene, poses: readonly Affine[]): Tensor<"float32"> {
  return imageOf(scene, encode(render(scene, poses).light));
}

function imageOf({ width, height }: Scene, values: Float32Array): Tensor<"float32"> {
  return tensor("float32", [3, height, width], values);
}

function idOf(index: number): string {
  return `synthetic/${index}`;
}

function labellingOf(task: TaskName): Labelling & { name: string } {
  const name = "synthetic";
  if (task === "classification") return { name, task, classNames: shapeKinds };
  if (task === "segmentation") return { name, task, ignoreLabel: 255, classNames: ["background", ...shapeKinds] };
  return { name, task };
}

function resolve(options: SyntheticOptions): Resolved {
  const { task, size, length, seed, displacement = 0.08, averaging = "light" } = options;
  const { width, height } = typeof size === "number" ? { width: size, height: size } : size;
  const { subframes = framesFor(displacement * Math.min(width, height)) } = options;
  const demand = (holds: boolean, rule: string) => {
    if (!holds) throw new DataError(`Synthetic pictures: ${rule}.`);
  };
  demand(
    [width, height].every((n) => Number.isInteger(n) && n >= 16),
    `the size must be at least 16x16 whole pixels, not ${width}x${height}`,
  );
  demand(Number.isInteger(length) && length >= 1, `the length must be a whole number of at least 1, not ${length}`);
  demand(
    displacement >= 0 && displacement <= 0.5,
    `displacement must be a share from 0 to 0.5 of the shorter side, not ${displacement}`,
  );
  demand(
    subframes % 2 === 1 && subframes >= 1,
    `subframes must be an odd whole number, so that one frame is in the middle, not ${subframes}`,
  );
  return { task, width, height, length, seed, displacement, subframes, averaging };
}

/** An odd number, at least 9. */
const framesFor = (pixels: number): number => 2 * Math.floor(Math.max(9, pixels / 1.5) / 2) + 1;
