import * as Plot from "@observablehq/plot";
import { plain } from "../report/html.js";
import { svgOf } from "../report/plot.js";

const colors = ["var(--accent, #c8401f)", "var(--series-2, #2463a8)", "var(--series-3, #26734d)", "var(--series-4, #8a5bb0)"];

export interface Curve {
  readonly name: string;
  readonly power: readonly number[];
}

/** Radial power spectra on a logarithmic scale; a line marks the Nyquist limit of the smaller map, in cycles per pixel of the larger. */
export function radialFigure(frequencies: readonly number[], curves: readonly Curve[], limit?: number): string {
  const floor = Math.max(...curves.flatMap((c) => c.power)) * 1e-9;
  const points = curves.flatMap(({ name, power }) =>
    power.flatMap((p, k) => (p > floor ? [{ name, frequency: frequencies[k]!, power: p }] : [])),
  );
  if (points.length === 0) return "";
  return svgOf({
    className: "plot",
    width: 420,
    height: 244,
    marginLeft: 58,
    marginBottom: 44,
    style: { background: "none", fontFamily: "inherit", fontSize: "12px" },
    x: { label: "cycles per pixel", domain: [0, Math.SQRT1_2], tickFormat: ".1f" },
    y: { label: "power", type: "log", grid: true, tickFormat: ".0e", ticks: 5 },
    color: { domain: curves.map((c) => c.name), range: colors.slice(0, curves.length), legend: false },
    marks: [
      ...(limit === undefined ? [] : [Plot.ruleX([limit], { stroke: "var(--muted, #a3abb5)", strokeDasharray: "3,3" })]),
      Plot.line(points, { x: "frequency", y: "power", stroke: "name", strokeWidth: 2 }),
    ],
  });
}

/** The curves' names in their colors. */
export const legend = (curves: readonly { readonly name: string }[]): string =>
  `<div class="legend">${curves.map(({ name }, i) => `<span><i style="background:${colors[i]}"></i>${plain(name)}</span>`).join("")}</div>`;
