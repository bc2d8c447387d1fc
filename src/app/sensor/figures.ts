import * as Plot from "@observablehq/plot";
import { aFile, svgOf } from "../report/plot.js";

/** A line of a chart: values at steps. */
export interface Curve {
  readonly name: string;
  readonly points: readonly { readonly step: number; readonly value: number }[];
}

// The report's colors; the values behind them serve where a chart stands alone.
const colors = ["var(--accent, #c8401f)", "var(--soft, #5d6671)", "var(--series-2, #2463a8)", "var(--series-3, #26734d)"];

const height = 250;
const marginTop = 24;
const marginBottom = 44;
/** Pixels from one name to the next. */
const lineHeight = 15;

const rangeOf = (values: readonly number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)];

/** How far down each name must go so that none covers another: curves that end together would have their names in one place. */
export function apart<E extends { readonly value: number }>(
  ends: readonly E[],
  [low, high]: readonly [number, number],
): (E & { readonly dy: number })[] {
  const pixels = (value: number) => (high > low ? ((high - value) / (high - low)) * (height - marginTop - marginBottom) : 0);
  let next = Number.NEGATIVE_INFINITY;
  return [...ends]
    .sort((a, b) => b.value - a.value)
    .map((end) => {
      const at = Math.max(pixels(end.value), next);
      next = at + lineHeight;
      return { ...end, dy: at - pixels(end.value) };
    });
}

/** Lines over the steps of a training, named at their ends, as SVG that can stand alone. */
export function chart(label: string, curves: readonly Curve[], domain?: readonly [number, number]): string {
  const rows = curves.flatMap(({ name, points }, i) => points.map((p) => ({ ...p, name, color: colors[i % colors.length]! })));
  const ends = curves.flatMap(({ name, points }, i) => {
    const end = points.at(-1);
    return end ? [{ ...end, name, color: colors[i % colors.length]! }] : [];
  });
  return svgOf(
    {
      width: 440,
      height,
      marginTop,
      marginBottom,
      marginLeft: 62,
      marginRight: 70,
      style: { background: "none", fontFamily: "system-ui, sans-serif", fontSize: "12px" },
      x: { label: "step", tickFormat: (step: number) => (Number.isInteger(step) ? String(step) : "") },
      y: { label, grid: true, ...(domain && { domain: [...domain] }) },
      marks: [
        Plot.line(rows, { x: "step", y: "value", z: "name", stroke: "color", strokeWidth: 2 }),
        // A single evaluation makes no line.
        Plot.dot(rows, { x: "step", y: "value", fill: "color", r: rows.length > 40 ? 0 : 3 }),
        ...apart(ends, domain ?? rangeOf(rows.map((r) => r.value))).map(({ dy, ...end }) =>
          Plot.text([end], {
            x: "step",
            y: "value",
            text: "name",
            fill: "color",
            textAnchor: "start",
            dx: 8,
            dy,
            fontWeight: 600,
          }),
        ),
      ],
    },
    aFile,
  );
}
