import type { Value } from "../../../engine/graph/graph.js";
import { add, mul, sub } from "../../../engine/operators/index.js";

/** Points of the square [-1, 1]², x along the width, y along the height and down: two values of one shape. */
export interface Point {
  readonly x: Value;
  readonly y: Value;
}

/** Of a map at points: `xy` is the derivative of its x component along y. */
export interface Jacobian {
  readonly xx: Value;
  readonly xy: Value;
  readonly yx: Value;
  readonly yy: Value;
}

/**
 * How the pixels of a sensor lie: a bijection φ of the square [-1, 1]² that keeps its border, from the regular grid on which the sensor
 * numbers its pixels to the image. Pixel (i, j) of an h x w sensor covers φ([-1 + 2j/w, -1 + 2(j+1)/w] x [-1 + 2i/h, -1 + 2(i+1)/h]).
 *
 * All three maps are graphs, differentiable in the parameters wherever φ is. A new layout is one file and a line of the table in
 * `layouts/index.ts`; `layouts.test.ts` then holds it to its word: bijective, inverse, Jacobian.
 */
export interface Layout {
  readonly name: string;
  /** Names of the parameters θ, each in (-1, 1); 0 is the uniform layout. */
  readonly parameters: readonly string[];
  /** "axis-aligned": φ maps each axis by itself, so that pixels are upright rectangles and their integrals have a closed form. */
  readonly pixels: "axis-aligned" | "curved";
  readonly map: (p: Point, theta: readonly Value[]) => Point;
  readonly jacobian: (p: Point, theta: readonly Value[]) => Jacobian;
  readonly inverse: (p: Point, theta: readonly Value[]) => Point;
}

/** How much φ enlarges an area. */
export const determinant = ({ xx, xy, yx, yy }: Jacobian): Value => sub(mul(xx, yy), mul(xy, yx));

/** Of g∘f, from g's Jacobian at f(p) and f's at p. */
export const chain = (g: Jacobian, f: Jacobian): Jacobian => ({
  xx: add(mul(g.xx, f.xx), mul(g.xy, f.yx)),
  xy: add(mul(g.xx, f.xy), mul(g.xy, f.yy)),
  yx: add(mul(g.yx, f.xx), mul(g.yy, f.yx)),
  yy: add(mul(g.yx, f.xy), mul(g.yy, f.yy)),
});
