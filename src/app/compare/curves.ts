import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { tasks } from "../../vision/tasks/index.js";
import { type Comparison, metricOf, type Row } from "./runs.js";

const colors = [
  "var(--accent, #c8401f)",
  "var(--series-2, #2463a8)",
  "var(--series-3, #26734d)",
  "var(--series-4, #8a5bb0)",
  "var(--series-5, #9a6700)",
  "var(--soft, #5d6671)",
];

const height = 400;

/** Labels at least so far apart that they can be read, in their order. */
function apart<P extends { readonly y: number }>(labels: readonly P[], gap: number): P[] {
  let last = Number.NEGATIVE_INFINITY;
  return labels
    .toSorted((a, b) => a.y - b.y)
    .map((label) => {
      last = Math.max(label.y, last + gap);
      return { ...label, y: last };
    });
}

/**
 * The headline metric over the parameter that has most values, a line for each combination of the others; undefined where no number differs.
 */
export function curves(comparison: Comparison): string | undefined {
  const { rows, differ, headline } = comparison;
  const varied = differ
    .filter((name) => rows.every((r) => r.numbers[name] !== undefined))
    .map((name) => ({ name, count: new Set(rows.map((r) => r.numbers[name])).size }))
    .sort((a, b) => b.count - a.count);
  const [along] = varied;
  if (!along) return undefined;
  const others = differ.filter((name) => name !== along.name);
  const lineOf = (r: Row) =>
    others
      .flatMap((name) => (r.facts[name] === undefined ? [] : name === "attack" ? r.facts[name] : `${name} ${r.facts[name]}`))
      .join(", ");
  const share = tasks[rows[0]!.task].formats[headline.name]?.share ?? false;
  const levels = along.name === "epsilon" && rows.every((r) => r.facts.norm === "l_inf");
  const names = [...new Set(rows.map(lineOf))];
  const points = rows.flatMap((r) => {
    const y = metricOf(comparison, r, "adversarial", headline.name);
    return y === null ? [] : [{ x: r.numbers[along.name]! * (levels ? 255 : 1), y, line: lineOf(r) }];
  });
  const clean = metricOf(comparison, rows[0]!, "clean", headline.name);
  const oneModel = !differ.includes("model") && !differ.includes("data");
  const top = 1.08 * Math.max(1e-9, oneModel ? (clean ?? 0) : 0, ...points.map((p) => p.y));
  const ends = apart(
    names.map((line) => points.filter((p) => p.line === line).reduce((a, b) => (b.x > a.x ? b : a))),
    (16 * top) / (height - 64),
  );
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const figure = Plot.plot({
    document: document as unknown as Document,
    className: "plot",
    width: 860,
    height,
    marginLeft: 58,
    marginRight: 24 + 6.4 * Math.max(0, ...names.map((n) => n.length)),
    marginBottom: 44,
    style: { background: "none", color: "var(--soft, #5d6671)", fontFamily: "system-ui, sans-serif", fontSize: "12px" },
    x: {
      label: levels ? "epsilon, of 255 levels" : along.name,
      ticks: [...new Set(points.map((p) => p.x))],
      tickFormat: (v: number) => String(Number(v.toPrecision(3))),
    },
    y: { label: `${headline.name} under attack`, grid: true, domain: [0, top], ...(share && { tickFormat: "~%" }) },
    color: { domain: names, range: names.map((_, i) => colors[i % colors.length]!) },
    marks: [
      ...(clean !== null && oneModel
        ? [
            Plot.ruleY([clean], { stroke: "var(--soft, #5d6671)", strokeDasharray: "2 3" }),
            Plot.text([clean], {
              y: (v: number) => v,
              text: ["clean"],
              frameAnchor: "left",
              dx: 6,
              dy: -8,
              fill: "var(--soft, #5d6671)",
            }),
          ]
        : []),
      Plot.line(points, { x: "x", y: "y", stroke: "line", strokeWidth: 2, sort: "x" }),
      Plot.dot(points, { x: "x", y: "y", fill: "line", r: 3.5 }),
      ...(names.length > 1
        ? [Plot.text(ends, { x: "x", y: "y", text: "line", fill: "line", textAnchor: "start", dx: 10, fontWeight: 600 })]
        : []),
    ],
  });
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return figure.outerHTML;
}
