import type { Value } from "../../engine/graph/graph.js";
import { type AxisWindow, extent } from "../../engine/operators/window.js";
import type { Found } from "./form.js";

/** For windows that a shape rule has accepted already. */
export const accepted = (message: string): never => {
  throw new Error(`A node of the graph does not fit its own operator: ${message}.`);
};

/** A layer with these windows as a place where the resolution is lowered; undefined where it is not, along either axis. */
export function strides(axes: readonly AxisWindow[], before: Value, after: Value): Found | undefined {
  const [rows, columns] = axes;
  if (axes.length !== 2 || (rows!.stride === 1 && columns!.stride === 1)) return undefined;
  return { factor: [rows!.stride, columns!.stride], before, after };
}

/**
 * Padding at the end with which the window at stride 1 takes exactly `stride` times as many positions: the strided layer's, and what lies between
 * and behind them, so that a low-pass by that factor samples where the layer does.
 */
export const fullEnd = (w: AxisWindow): number => w.stride * w.output - 1 + extent(w) - w.begin - w.input;
