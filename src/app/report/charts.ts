import * as Plot from "@observablehq/plot";
import type { AttackPlan } from "../attack/plan.js";
import type { AttackRecord } from "../attack/run-attack.js";
import type { AttackSummary } from "../attack/summary.js";
import type { Headline } from "./headline.js";
import { svgOf } from "./plot.js";

// Charts as inline SVG. Colors are the page's CSS variables, so that they follow its scheme.

const width = 620;

function drawn(options: Plot.PlotOptions): string {
  return svgOf({
    className: "plot",
    width,
    style: { background: "none", fontFamily: "inherit", fontSize: "12px" },
    ...options,
  });
}

/** Loss against step: a thin line for each sample, a strong one for the mean. */
export function lossCurves({ goal }: AttackPlan, summary: AttackSummary, records: readonly AttackRecord[]): string {
  const done = records.filter((r) => r.loss);
  const shown = done.slice(0, 60);
  const path = (r: AttackRecord) => [...r.loss!.steps, r.loss!.adversarial];
  const lines = shown.flatMap((r) => path(r).map((loss, step) => ({ step, loss, sample: r.sample })));
  const mean = [...summary.curve, summary.loss.adversarial ?? 0].map((loss, step) => ({ step, loss }));
  const values = [...lines, ...mean].map((p) => p.loss);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const logarithmic = least > 0 && most / least > 50;
  // What lies a million times below the largest loss is nothing, and would squeeze the rest.
  const floor = Math.max(least, most * 1e-6);
  const above = (points: readonly { step: number; loss: number; sample?: string }[]) =>
    logarithmic ? points.map((p) => ({ ...p, loss: Math.max(p.loss, floor) })) : points;
  return drawn({
    height: 260,
    marginLeft: 56,
    marginTop: 32,
    marginBottom: 42,
    x: { label: "step", labelOffset: 38, ticks: Math.min(10, summary.curve.length), tickFormat: "d" },
    y: {
      label: `loss (${goal.kind === "untargeted" ? "the attack raises it" : "the attack lowers it"}${logarithmic ? "; logarithmic" : ""})`,
      grid: true,
      ...(logarithmic ? { type: "log", domain: [floor, most], tickFormat: "~g", ticks: 5 } : { zero: true }),
    },
    marks: [
      ...(shown.length > 1
        ? [
            Plot.line(above(lines), {
              x: "step",
              y: "loss",
              z: "sample",
              stroke: "var(--muted)",
              strokeWidth: 1,
              strokeOpacity: 0.45,
            }),
          ]
        : []),
      Plot.line(above(mean), { x: "step", y: "loss", stroke: "var(--accent)", strokeWidth: 2.5 }),
    ],
  });
}

/** The headline number of each sample before and after: a row for each while they are few, a histogram when they are many. */
export function beforeAndAfter(records: readonly AttackRecord[], number: Headline): string {
  const rows = records
    .filter((r) => number.of(r, "adversarial") !== null)
    .map((r) => ({
      sample: r.sample,
      clean: number.of(r, "clean"),
      adversarial: number.of(r, "adversarial")!,
      damage: number.damage(r),
    }))
    .sort((a, b) => b.damage - a.damage);
  const scale = number.share ? { domain: [0, 1], tickFormat: "~%" } : { zero: true };
  if (rows.length <= 24) {
    const short = (s: string) => (s.length > 26 ? `…${s.slice(-25)}` : s);
    return drawn({
      height: 66 + 24 * rows.length,
      marginTop: 32,
      marginBottom: 42,
      marginLeft: 24 + 6.6 * Math.max(4, ...rows.map((r) => short(r.sample).length)),
      x: { ...scale, label: number.label, labelOffset: 38, grid: true },
      y: { label: null, domain: rows.map((r) => r.sample), tickFormat: short, tickSize: 0 },
      marks: [
        Plot.link(
          rows.filter((r) => r.clean !== null),
          { x1: "clean", x2: "adversarial", y1: "sample", y2: "sample", stroke: "var(--muted)", strokeWidth: 1.5 },
        ),
        Plot.dot(
          rows.filter((r) => r.clean !== null),
          { x: "clean", y: "sample", r: 5, fill: "var(--page)", stroke: "var(--ink)", strokeWidth: 1.5 },
        ),
        Plot.dot(rows, { x: "adversarial", y: "sample", r: 5.5, fill: "var(--accent)" }),
      ],
    });
  }
  const values = rows.flatMap((r) => [r.adversarial, ...(r.clean === null ? [] : [r.clean])]);
  const [low, high] = number.share ? [0, 1] : [Math.min(...values), Math.max(...values)];
  const thresholds = Array.from({ length: 26 }, (_, i) => low + ((high - low) * i) / 25);
  // Plot's bins lack their upper end.
  const inside = (v: number) => Math.min(v, high - 1e-9 * (high - low));
  // Compared with itself, a model agrees on every clean image: not worth a bar.
  const clean = number.reference === "truth" ? rows.flatMap((r) => (r.clean === null ? [] : [{ clean: inside(r.clean) }])) : [];
  const bins = { thresholds, domain: [low, high] as [number, number] };
  return drawn({
    height: 240,
    marginLeft: 48,
    marginTop: 32,
    marginBottom: 42,
    x: { ...scale, label: number.label, labelOffset: 38 },
    y: { label: "samples", grid: true },
    marks: [
      Plot.rectY(clean, {
        ...Plot.binX({ y: "count" }, { x: { value: "clean", ...bins } }),
        fill: "var(--muted)",
        fillOpacity: 0.35,
      }),
      Plot.rectY(
        rows.map((r) => ({ adversarial: inside(r.adversarial) })),
        { ...Plot.binX({ y: "count" }, { x: { value: "adversarial", ...bins } }), fill: "var(--accent)", fillOpacity: 0.75 },
      ),
      Plot.ruleY([0], { stroke: "var(--muted)" }),
    ],
  });
}
