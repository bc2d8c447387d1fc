import type { Graph, Value } from "../../engine/graph/graph.js";
import { add, floor, mul, reshape, slice, sub, tanh } from "../../engine/operators/index.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { zeros } from "../../vision/nn/initializers.js";
import type { Scope } from "../../vision/nn/scope.js";
import { boundaryReading } from "./boundary.js";
import { SensorError } from "./error.js";
import { exactReading } from "./exact.js";
import { toImageGrid } from "./image-grid.js";
import { interiorReading } from "./interior.js";
import { type LayoutChoice, layoutOf } from "./layouts/index.js";
import type { Layout, Point } from "./layouts/layout.js";
import { jitteredAlong, jitteredOffsets, type Size } from "./samples.js";

/** Largest |θ| of a layout that is learned: θ = 0.6 tanh(raw) keeps φ well away from ±1, where it is no bijection. */
export const largestTheta = 0.6;

/** How the integral over a pixel is taken. */
export type Integration =
  /** In closed form; only where pixels are upright rectangles. */
  | { readonly kind: "exact" }
  | {
      readonly kind: "samples";
      /** Per pixel; default 16. */
      readonly count?: number;
      /** Default 0. */
      readonly seed?: number | string;
      /**
       * How the layout's gradient is estimated. "boundary" (the default), the integral over the pixel's boundary with a quarter as many samples
       * on each edge, scatters far less (experiments/sensor-layout); "interior" is the derivative of the reading as it is computed.
       */
      readonly gradient?: "interior" | "boundary";
    };

export interface SensorOptions {
  /** A layout's name, several names (the first acts first), or a layout of your own. */
  readonly layout: LayoutChoice;
  /** Of the sensor, in pixels. */
  readonly height: number;
  readonly width: number;
  /** Default 16 samples. */
  readonly integration?: Integration;
  /** Where the layout's parameters begin, within ±0.6; default all 0, the uniform layout. */
  readonly theta?: readonly number[];
  /** Names of parameters that stay where they begin. */
  readonly frozen?: readonly string[];
}

/** A sensor as a layer: from images [N, C, H, W] of any size to what its pixels see, [N, C, height, width]. */
export interface Sensor {
  (p: Scope, images: Value): Value;
  readonly layout: Layout;
  readonly size: Size;
  /** The layout's parameters, as scalars in the order of `layout.parameters`. Asked for again in the same scope they are the same values. */
  theta(p: Scope): Value[];
  /** The same in numbers, for given values of `raw`. */
  thetaOf(raw: ArrayLike<number>): number[];
  /** Brings values on the sensor's grid, [N, C, h, w], back to an image's grid: see `toImageGrid`. */
  toImageGrid(p: Scope, onSensor: Value, size: Size): Value;
}

/**
 * A camera's sensor whose pixel layout is learned together with the network behind it (Sommerhoff et al. 2023, arXiv 2304.14736).
 *
 * Its parameter is `raw`, θ = 0.6 tanh(raw); frozen parts are a buffer `frozen`. In evaluation the samples within pixels are fixed by the
 * seed. In training they move from step to step, all by one shift (buffer `shift`, a Kronecker sequence), so that over the steps they fill
 * their pixels evenly, and an interrupted run goes on with the samples it would have had.
 *
 * @throws SensorError for sizes, parameters or names that cannot be.
 * @example
 * const eye = sensor({ layout: "rectangular", height: 4, width: 4 });
 * const network: Network = (p, image) => classifier(p.at("network"), eye(p.at("sensor"), image));
 */
export function sensor(options: SensorOptions): Sensor {
  const { height, width, integration = { kind: "samples" } } = options;
  const layout = layoutOf(options.layout);
  const size: Size = [height, width];
  demandWhole("height", height);
  demandWhole("width", width);
  const { theta, thetaOf } = parametersOf(layout, options);
  const read = readerOf(layout, size, integration);
  return Object.assign((p: Scope, images: Value) => read(p, images, theta(p)), {
    layout,
    size,
    theta,
    thetaOf,
    toImageGrid: (p: Scope, onSensor: Value, imageSize: Size) => toImageGrid(onSensor, layout, theta(p), imageSize),
  });
}

type Reader = (p: Scope, images: Value, theta: readonly Value[]) => Value;

function readerOf(layout: Layout, size: Size, integration: Integration): Reader {
  const [height, width] = size;
  if (integration.kind === "exact") {
    if (layout.pixels !== "axis-aligned")
      throw new SensorError(
        `The exact integral is for upright rectangular pixels, and those of the layout ${layout.name} are curved; use samples.`,
      );
    return (_, images, theta) => exactReading(images, layout, theta, size);
  }
  const { count = 16, seed = 0, gradient = "boundary" } = integration;
  demandWhole("number of samples", count);
  const perEdge = Math.max(1, Math.round(count / 4));
  const within = jitteredOffsets(size, count, seed);
  const horizontal = jitteredAlong((height + 1) * width, perEdge, `${seed}/horizontal`);
  const vertical = jitteredAlong(height * (width + 1), perEdge, `${seed}/vertical`);
  return (p, images, theta) => {
    const shift = shiftOf(p);
    const at = (offsets: Tensor, axis: keyof Point) => shift(p.graph.constant(offsets), axis);
    const offsets = { x: at(within.x, "x"), y: at(within.y, "y") };
    if (gradient === "interior") return interiorReading(images, layout, theta, size, offsets);
    const edges = { horizontal: at(horizontal, "x"), vertical: at(vertical, "y") };
    return boundaryReading(images, layout, theta, size, offsets, edges);
  };
}

/** Steps of the R2 sequence (Roberts 2018): the powers of 1/g with g³ = g + 1, whose multiples fill the square most evenly. */
const stride = { x: 0.7548776662466927, y: 0.5698402909980532 };

/** Moves offsets by what training has come to; in evaluation they stay. */
function shiftOf(p: Scope): (offsets: Value, axis: keyof Point) => Value {
  const shift = p.buffer("shift", [2], zeros);
  if (p.mode === "evaluation") return (offsets) => offsets;
  const parts = { x: slice(shift, [0], [1]), y: slice(shift, [1], [2]) };
  const steps = p.graph.constant({ type: "float32", shape: [2], data: Float32Array.of(stride.x, stride.y) });
  p.update("shift", fraction(add(shift, steps)));
  return (offsets, axis) => fraction(add(offsets, parts[axis]));
}

const fraction = (v: Value): Value => sub(v, floor(v));

/** θ of a scope: what is learned from `raw`, the rest from `frozen`. */
function parametersOf(layout: Layout, { theta: start, frozen = [] }: SensorOptions): Pick<Sensor, "theta" | "thetaOf"> {
  const names = layout.parameters;
  const begin = start ?? names.map(() => 0);
  const listed = names.join(", ") || "none";
  if (begin.length !== names.length)
    throw new SensorError(`The layout ${layout.name} has ${names.length} parameters (${listed}), but theta has ${begin.length}.`);
  const unknown = frozen.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new SensorError(`The layout ${layout.name} has no parameter "${unknown}" to freeze; it has ${listed}.`);
  begin.forEach((v, i) => {
    const limit = frozen.includes(names[i]!) ? 1 : largestTheta;
    if (!(Math.abs(v) < limit))
      throw new SensorError(`${names[i]} begins at ${v}, but must lie within ±${limit}${limit < 1 ? " to be learned" : ""}.`);
  });
  const learned = names.filter((name) => !frozen.includes(name));
  const fixed = names.filter((name) => frozen.includes(name));
  const starts = (which: readonly string[]) => which.map((name) => begin[names.indexOf(name)]!);
  return {
    theta: (p) => {
      const raw = vectorOf(learned, (shape) =>
        p.parameter("raw", shape, () => Float32Array.from(starts(learned), (v) => Math.atanh(v / largestTheta))),
      );
      const kept = vectorOf(fixed, (shape) => p.buffer("frozen", shape, () => Float32Array.from(starts(fixed))));
      return names.map((name) =>
        frozen.includes(name) ? kept(fixed.indexOf(name)) : mul(tanh(raw(learned.indexOf(name))), largestTheta),
      );
    },
    thetaOf: (raw) =>
      names.map((name, i) => (frozen.includes(name) ? begin[i]! : largestTheta * Math.tanh(raw[learned.indexOf(name)]!))),
  };
}

/** The elements of a vector that is asked for only where it has any. */
function vectorOf(names: readonly string[], ask: (shape: readonly number[]) => Value): (i: number) => Value {
  if (names.length === 0)
    return () => {
      throw new SensorError("There is no such parameter.");
    };
  const vector = ask([names.length]);
  return (i) => reshape(slice(vector, [i], [i + 1]), []);
}

function demandWhole(what: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new SensorError(`A sensor's ${what} is a whole number of at least 1, not ${value}.`);
}

/** Numbers as the values that layouts take, for simulations with given parameters. */
export function constantTheta(graph: Graph, layout: Layout, theta: readonly number[]): Value[] {
  if (theta.length !== layout.parameters.length)
    throw new SensorError(
      `The layout ${layout.name} has ${layout.parameters.length} parameters (${layout.parameters.join(", ") || "none"}), not ${theta.length}.`,
    );
  return theta.map((v, i) => {
    if (!(Math.abs(v) < 1)) throw new SensorError(`${layout.parameters[i]} is ${v}, but must lie between -1 and 1.`);
    return graph.constant({ type: "float32", shape: [], data: Float32Array.of(v) });
  });
}
