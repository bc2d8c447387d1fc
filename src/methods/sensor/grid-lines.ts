import type { Graph, Value } from "../../engine/graph/graph.js";
import { tensor } from "../../engine/tensor/tensor.js";
import type { Layout, Point } from "./layouts/layout.js";
import type { Size } from "./samples.js";

/** Straight pieces that one side of a pixel is drawn with, where sides are curved. */
const piecesPerSide = 6;

/**
 * The lines between a sensor's pixels where they lie in the image, for drawing: w + 1 from top to bottom, and h + 1 from left to right.
 *
 * @returns places in [-1, 1]: x and y [lines, points] for each direction.
 */
export function gridLines(
  graph: Graph,
  layout: Layout,
  theta: readonly Value[],
  [height, width]: Size,
): { down: Point; across: Point } {
  const pieces = layout.pixels === "axis-aligned" ? 1 : piecesPerSide;
  const along = (points: number) => Array.from({ length: points * pieces + 1 }, (_, i) => -1 + (2 * i) / (points * pieces));
  const edges = (count: number) => Array.from({ length: count + 1 }, (_, i) => -1 + (2 * i) / count);
  const lines = (levels: readonly number[], places: readonly number[]) => {
    const values = (of: (level: number, place: number) => number) =>
      graph.constant(
        tensor(
          "float32",
          [levels.length, places.length],
          levels.flatMap((level) => places.map((place) => of(level, place))),
        ),
      );
    return { levels: values((level) => level), places: values((_, place) => place) };
  };
  const down = lines(edges(width), along(height));
  const across = lines(edges(height), along(width));
  return {
    down: layout.map({ x: down.levels, y: down.places }, theta),
    across: layout.map({ x: across.places, y: across.levels }, theta),
  };
}
