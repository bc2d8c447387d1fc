import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** A line of a chart: values at steps. */
export interface Curve {
  readonly name: string;
  readonly points: readonly { readonly step: number; readonly value: number }[];
}

// The report's colors; the values behind them serve where a chart stands alone.
const colors = ["var(--accent, #c8401f)", "var(--soft, #5d6671)", "var(--series-2, #2463a8)", "var(--series-3, #26734d)"];

/** Lines over the steps of a training, named at their ends, as SVG that can stand alone. */
export function chart(label: string, curves: readonly Curve[], domain?: readonly [number, number]): string {
  const rows = curves.flatMap(({ name, points }, i) => points.map((p) => ({ ...p, name, color: colors[i % colors.length]! })));
  const ends = curves.flatMap(({ name, points }, i) => {
    const end = points.at(-1);
    return end ? [{ ...end, name, color: colors[i % colors.length]! }] : [];
  });
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const figure = Plot.plot({
    document: document as unknown as Document,
    width: 640,
    height: 260,
    marginLeft: 56,
    marginRight: 96,
    style: { background: "none", fontFamily: "system-ui, sans-serif", fontSize: "12px" },
    x: { label: "step" },
    y: { label, grid: true, ...(domain && { domain: [...domain] }) },
    marks: [
      Plot.line(rows, { x: "step", y: "value", z: "name", stroke: "color", strokeWidth: 2 }),
      // A single evaluation makes no line.
      Plot.dot(rows, { x: "step", y: "value", fill: "color", r: rows.length > 40 ? 0 : 3 }),
      Plot.text(ends, { x: "step", y: "value", text: "name", fill: "color", textAnchor: "start", dx: 8, fontWeight: 600 }),
    ],
  });
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return figure.outerHTML;
}
