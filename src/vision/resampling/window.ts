import type { Value } from "../../engine/graph/graph.js";
import { type AutoPad, type AxisWindow, extent } from "../../engine/operators/window.js";
import { type Found, Left, type Sides } from "./form.js";

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
const fullEnd = (w: AxisWindow): number => w.stride * w.output - 1 + extent(w) - w.begin - w.input;

/** Padding at the end of each axis with which every sample is kept: `fullEnd`, or for any sides what is enough for each. */
export function keepingEnds(
  axes: readonly AxisWindow[],
  sides: Sides,
  { auto_pad, ceil_mode = 0 }: { readonly auto_pad: AutoPad; readonly ceil_mode?: number },
): readonly number[] | Left {
  if (sides === "these") return axes.map(fullEnd);
  if (auto_pad.startsWith("SAME"))
    return new Left(`its padding depends on the size of the map (auto_pad ${auto_pad}); ${remedy}`);
  if (ceil_mode !== 0) return new Left(`its last window depends on the size of the map (ceil_mode); ${remedy}`);
  return axes.map((w) => w.end + w.stride - 1);
}

/** What takes a layer that no replacement for any size can be written for. */
export const remedy = "with --sides fixed it can be replaced";
