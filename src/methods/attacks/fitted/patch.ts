import type { Value } from "../../../engine/graph/graph.js";
import {
  abs,
  add,
  and,
  cast,
  clip,
  expand,
  gridSample,
  lessOrEqual,
  matMul,
  min,
  mul,
  reduceMean,
  reduceSum,
  reshape,
  sign,
  slice,
  sqrt,
  sub,
  transpose,
  where,
} from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { type AttackedModel, imagesOf, perturbedRoles } from "../attacked-model.js";
import type { AttackBatch } from "../batch.js";
import { AttackError } from "../error.js";
import { identityGrid } from "../transforms/grid.js";
import type { Fitted, Shown } from "./fitted.js";
import type { Wear } from "./wear.js";

/** A patch and how it comes into pictures. */
export interface PatchRule {
  /** Length of its sides, in pixels; absent: a quarter of the pictures' shorter side. */
  readonly patchSize?: number | undefined;
  /** "random", "center", or the place of its center in pixels, "120x80": 120 from the left, 80 from above. */
  readonly placement: string;
  /** It is drawn between 1 - scaling and 1 + scaling times its size. */
  readonly scaling: number;
  /** It is turned by up to so many degrees either way. */
  readonly rotation: number;
  readonly tvWeight: number;
  readonly printWeight: number;
}

/**
 * A square patch pasted into every picture, scaled, turned and placed anew each time it is seen (Brown et al. 2017, section 2): expectation over
 * transformation. In a pair of pictures it is at the same place in both.
 */
export function patch(model: AttackedModel, rule: PatchRule): Wear {
  const [role] = perturbedRoles(model) as [string];
  const [batch, channels, height, width] = imagesOf(model)[role] as [number, number, number, number];
  const { patchSize: side = Math.max(1, Math.round(Math.min(height, width) / 4)), tvWeight, printWeight } = rule;
  if (side * (1 + rule.scaling) > Math.min(height, width))
    throw new AttackError(
      `A patch of ${side}x${side} pixels, up to ${1 + rule.scaling} times as large, does not fit into pictures of ${width}x${height}; take a smaller one with --patch-size, or less --scaling.`,
    );
  return {
    learned: { patch: [1, channels, side, side] },
    // A patch that has learned nothing is noise: what a learned one must beat.
    first: (_, shape) => {
      const random = new Random(0, "patch");
      return tensor(
        "float32",
        shape,
        Float32Array.from({ length: channels * side * side }, () => random.uniform(0, 1)),
      );
    },
    drawn: { place: [batch, 2, 3] },
    draw: (given, pass) => ({ place: places(given, pass, { ...rule, side }, { height, width }) }),
    apply: ({ clean, learned, drawn, region }) => {
      const { at, inside } = whereIn(drawn.place!, height, width);
      const hidden = region ? mul(inside, region) : inside;
      const seen = gridSample(expand(learned.patch!, [batch, channels, side, side]), at, { padding: "border" });
      const covers = lessOrEqual(sub(1, hidden), 0.5);
      return {
        images: Object.fromEntries(Object.entries(clean).map(([name, image]) => [name, where(covers, seen, image)])),
        hidden,
      };
    },
    step: (_, { value, gradient, stepSize }) => clip(add(value, mul(sign(gradient), stepSize)), 0, 1),
    penalty: ({ patch: p }) => {
      const terms = [
        ...(tvWeight > 0 ? [mul(totalVariation(p!), tvWeight)] : []),
        ...(printWeight > 0 ? [mul(nonPrintability(p!), printWeight)] : []),
      ];
      return terms.length > 0 ? terms.reduce((a, b) => add(a, b)) : undefined;
    },
  };
}

/** For each pixel the point of the patch that it shows, [B, H, W, 2] from -1 to 1 across the patch, and 1 where it shows one, [B, 1, H, W]. */
function whereIn(place: Value, height: number, width: number): { readonly at: Value; readonly inside: Value } {
  const [batch] = place.shape as [number];
  const pixels = reshape(identityGrid(place.graph, height, width), [1, height * width, 2]);
  const turn = transpose(slice(place, [0], [2], { axes: [2] }), [0, 2, 1]);
  const shift = transpose(slice(place, [2], [3], { axes: [2] }), [0, 2, 1]);
  const at = add(matMul(expand(pixels, [batch, height * width, 2]), turn), shift);
  const [u, v] = [0, 1].map((i) => lessOrEqual(abs(slice(at, [i], [i + 1], { axes: [2] })), 1));
  const inside = reshape(cast(and(u!, v!), "float32"), [batch, 1, height, width]);
  return { at: reshape(at, [batch, height, width, 2]), inside };
}

/** Affine maps from a picture's coordinates to the patch's, both from -1 to 1: [B, 2, 3]. */
function places(
  { samples, seed, region }: Pick<AttackBatch, "samples" | "seed" | "region">,
  pass: string,
  { side, placement, scaling, rotation }: PatchRule & { readonly side: number },
  { height, width }: { readonly height: number; readonly width: number },
): Tensor<"float32"> {
  const maps = tensor("float32", [samples.length, 2, 3]);
  samples.forEach((sample, b) => {
    const random = new Random(seed, `${sample}/patch/${pass}`);
    const half = (side * (1 + scaling * random.uniform(-1, 1))) / 2;
    const angle = (random.uniform(-1, 1) * rotation * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    // A turned square reaches so far from its center.
    const reach = half * (Math.abs(cos) + Math.abs(sin));
    const between = (length: number) => (2 * reach >= length ? length / 2 : random.uniform(reach, length - reach));
    const white = region?.data.subarray(b * height * width, (b + 1) * height * width);
    const [x, y] = white && placement === "random" ? anyWhite(white, width, random) : centerOf(placement, height, width, between);
    const [dx, dy] = [width / 2 - x, height / 2 - y];
    maps.data.set(
      [
        ...[(cos * width) / 2, (sin * height) / 2, cos * dx + sin * dy],
        ...[(-sin * width) / 2, (cos * height) / 2, -sin * dx + cos * dy],
      ].map((value) => value / half),
      6 * b,
    );
  });
  return maps;
}

function centerOf(placement: string, height: number, width: number, between: (length: number) => number): [number, number] {
  if (placement === "random") return [between(width), between(height)];
  if (placement === "center") return [width / 2, height / 2];
  const [x, y] = placement.split("x").map(Number) as [number, number];
  if (x > width || y > height)
    throw new AttackError(`The patch is placed at ${placement}, outside of pictures of ${width}x${height}.`);
  return [x, y];
}

/** The center of a pixel of the region. */
function anyWhite(region: Float32Array, width: number, random: Random): [number, number] {
  const white = [...region.keys()].filter((i) => region[i]! > 0);
  const pixel = white[random.integer(white.length)]!;
  return [(pixel % width) + 0.5, Math.floor(pixel / width) + 0.5];
}

/** Mean over the pixels of √(Δx² + Δy²), over all channels (Sharif et al. 2016, eq. 6): patches of smooth colors survive a camera. */
function totalVariation(p: Value): Value {
  const [, , height, width] = p.shape as [number, number, number, number];
  const from = slice(p, [0, 0], [height - 1, width - 1], { axes: [2, 3] });
  const below = sub(slice(p, [1, 0], [height, width - 1], { axes: [2, 3] }), from);
  const right = sub(slice(p, [0, 1], [height - 1, width], { axes: [2, 3] }), from);
  return reduceMean(sqrt(add(add(mul(below, below), mul(right, right)), 1e-8)));
}

/** Levels of each channel that stand for what printers can mix; 27 colors. */
const levels = [0.1, 0.45, 0.85];

/**
 * Mean over the pixels of the distance to the nearest printable color: the non-printability score of Sharif et al. 2016 (eq. 5, a product over the colors) in
 * the form of Thys et al. 2019. Which colors a printer has must be measured; these are a coarse guess.
 */
function nonPrintability(p: Value): Value {
  const distances = levels.flatMap((r) =>
    levels.flatMap((g) =>
      levels.map((b) => {
        const d = sub(p, p.graph.constant(tensor("float32", [1, 3, 1, 1], [r, g, b])));
        return sqrt(add(reduceSum(mul(d, d), [1], "keep"), 1e-8));
      }),
    ),
  );
  return reduceMean(distances.reduce((a, b) => min(a, b)));
}

/** Length of the sides of a patch that was learned. */
export const sideOf = (fitted: Fitted): number => Object.values(fitted)[0]!.shape[2]!;

/** As large as it is to be printed: each pixel of the patch a square of pixels. @param side of the picture in pixels; absent: as it is. */
export function showPatch({ patch: found }: Fitted, side?: number): Readonly<Record<string, Shown>> {
  const [, channels, own] = found!.shape as [number, number, number];
  const length = side ?? own;
  const picture = tensor("float32", [channels, length, length]);
  const from = (i: number) => Math.min(own - 1, Math.floor((i * own) / length));
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < length; y++)
      for (let x = 0; x < length; x++)
        picture.data[(c * length + y) * length + x] = found!.data[(c * own + from(y)) * own + from(x)]!;
  return { patch: { picture, note: `${own}x${own} pixels` } };
}
