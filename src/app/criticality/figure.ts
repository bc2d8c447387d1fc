import * as Plot from "@observablehq/plot";
import { isWeighted } from "../../methods/criticality/layer.js";
import type { LayerProfile } from "../../methods/criticality/profile.js";
import { publishedBand } from "../../methods/criticality/published.js";
import { aFile, svgOf } from "../report/plot.js";
import type { CriticalityResult } from "./result.js";
import { type Scale, scales } from "./scale.js";
import { hasPublishedBand } from "./words.js";

// Colors are the report's CSS variables; the values behind them serve where the figure stands alone.
const ink = "var(--ink, #1d2126)";
const soft = "var(--soft, #5d6671)";
const muted = "var(--muted, #a3abb5)";
const accent = "var(--accent, #c8401f)";
const page = "var(--page, #ffffff)";
const seriesColors = [
  accent,
  "var(--series-2, #2463a8)",
  "var(--series-3, #26734d)",
  "var(--series-4, #8a5bb0)",
  "var(--series-5, #9a6700)",
  soft,
];

export interface Series {
  readonly name: string;
  readonly layers: readonly LayerProfile[];
}

/** One profile, its spread over trials, and the published band behind it. */
export const profileFigure = (result: CriticalityResult): string =>
  drawn([{ name: result.model, layers: result.layers }], {
    scale: result.scale,
    band: hasPublishedBand(result),
  });

/** Several profiles of the same layers. */
export const comparisonFigure = (series: readonly Series[]): string => drawn(series);

/** What a single profile is read against. */
interface Reference {
  readonly scale: Scale;
  /** Whether published profiles are of the same kind. */
  readonly band: boolean;
}

function drawn(series: readonly Series[], reference?: Reference): string {
  const layers = series[0]!.layers;
  const place = new Map(layers.map((l, x) => [l.name, x]));
  const points = series.flatMap((s, i) =>
    s.layers.map((l) => ({
      x: place.get(l.name)!,
      y: l.criticality,
      low: Math.max(0, l.criticality - l.deviation),
      high: Math.min(1, l.criticality + l.deviation),
      weighted: l.kind === "group" || isWeighted(l.kind),
      series: s.name,
      color: seriesColors[i % seriesColors.length]!,
    })),
  );
  const weighted = layers.filter((l) => l.kind !== "group" && isWeighted(l.kind));
  const band = reference?.band && weighted.length > 2 ? publishedBand(weighted.map((l) => l.name)).band : [];
  const stages = stageRuns(layers);
  const head = 36 + 14 * series.length;
  const key = [
    ...(band.length > 0 ? ["gray: 50 published ResNet-50"] : []),
    ...(reference ? [`dotted: ${scales[reference.scale.of].key}`] : []),
  ].join(" · ");
  const step = layers.length > 60 ? 13 : 17;
  const width = Math.min(1800, Math.max(620, 90 + layers.length * step));
  // small values of dense models would lie on the axis
  const top =
    band.length > 0 ? 1 : Math.min(1, 1.1 * Math.max(0.05, reference?.scale.criticality ?? 0, ...points.map((p) => p.high)));
  const longest = Math.max(...layers.map((l) => l.name.length));
  const margin = Math.min(190, 30 + 5.2 * longest);
  return svgOf(
    {
      className: "plot",
      width,
      height: 266 + head + margin,
      marginLeft: 56,
      marginTop: head,
      marginBottom: margin,
      style: { background: "none", color: soft, fontFamily: "system-ui, sans-serif", fontSize: "11px" },
      x: {
        domain: [-0.6, layers.length - 0.4],
        ticks: layers.map((_, i) => i),
        tickFormat: (i: number) => layers[i]?.name ?? "",
        tickRotate: -60,
        tickSize: 3,
        label: null,
      },
      y: { domain: [0, top], label: "criticality", tickFormat: "~%", grid: true },
      marks: [
        Plot.areaY(band, {
          x: (b) => place.get(b.layer)!,
          y1: (b) => Math.max(0, b.mean - b.deviation),
          y2: (b) => Math.min(1, b.mean + b.deviation),
          fill: muted,
          fillOpacity: 0.25,
        }),
        Plot.lineY(band, { x: (b) => place.get(b.layer)!, y: "mean", stroke: muted, strokeDasharray: "4 3" }),
        ...(reference ? [Plot.ruleY([reference.scale.criticality], { stroke: soft, strokeDasharray: "1 3" })] : []),
        Plot.text(key ? [key] : [], { text: (k: string) => k, frameAnchor: "top-right", dy: 12 - head, fill: soft }),
        Plot.ruleX(stages.slice(1), { x: (s) => s.from - 0.5, stroke: muted, strokeOpacity: 0.6 }),
        Plot.text(stages, {
          x: (s) => (s.from + s.to) / 2,
          y: top,
          dy: -14,
          text: (s) => ((s.to - s.from + 1) * (width - 70) < 6.6 * s.name.length * layers.length ? "" : s.name),
          fill: soft,
          fontWeight: 600,
        }),
        Plot.line(
          points.filter((p) => p.weighted),
          { x: "x", y: "y", z: "series", stroke: "color", strokeWidth: 1.2, strokeOpacity: 0.6 },
        ),
        Plot.link(points, { x1: "x", x2: "x", y1: "low", y2: "high", stroke: "color", strokeWidth: 2, strokeOpacity: 0.55 }),
        Plot.dot(points, {
          x: "x",
          y: "y",
          r: 3.5,
          stroke: "color",
          fill: (p: { weighted: boolean; color: string }) => (p.weighted ? p.color : page),
          strokeWidth: 1.5,
        }),
        Plot.ruleY([0], { stroke: ink }),
        ...(series.length > 1
          ? [
              ...series.map(({ name }, i) =>
                Plot.text([name], {
                  text: (n: string) => n,
                  frameAnchor: "top-right",
                  dy: 12 - head + 14 * i,
                  fill: seriesColors[i % seriesColors.length]!,
                  fontWeight: 600,
                }),
              ),
            ]
          : []),
      ],
    },
    aFile,
  );
}

/** Neighboring layers of one stage. */
function stageRuns(layers: readonly LayerProfile[]): { name: string; from: number; to: number }[] {
  const runs: { name: string; from: number; to: number }[] = [];
  layers.forEach(({ stage }, i) => {
    const last = runs.at(-1);
    if (last?.name === stage) last.to = i;
    else runs.push({ name: stage, from: i, to: i });
  });
  return runs;
}
