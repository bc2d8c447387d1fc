import { writeFile } from "node:fs/promises";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Config, type DataName, labelOf, type Row } from "./types.js";

const titles: Readonly<Record<DataName, string>> = { mnist: "MNIST" };

/** table.md and figure.svg: means over the seeds. */
export async function writeReport(folder: string, config: Config, rows: readonly Row[]): Promise<void> {
  await writeFile(`${folder}/table.md`, tableOf(config, rows));
  await writeFile(`${folder}/figure.svg`, figureOf(config, rows));
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const percent = (values: readonly number[]): string => {
  const spread = (Math.max(...values) - Math.min(...values)) / 2;
  return `${(100 * mean(values)).toFixed(1)}${values.length > 1 ? ` ± ${(100 * spread).toFixed(1)}` : ""}`;
};

function tableOf(config: Config, rows: readonly Row[]): string {
  const stages = [...new Set(rows[0]!.layers.map((l) => l.stage))];
  const stage = (row: Row, name: string) => mean(row.layers.filter((l) => l.stage === name).map((l) => l.criticality));
  const lines = (Object.keys(config.data) as DataName[]).flatMap((data) =>
    config.trainings[data].flatMap((training) => {
      const group = rows.filter((r) => r.data === data && labelOf(r.training) === labelOf(training));
      if (group.length === 0) return [];
      const cells = [
        titles[data],
        labelOf(training),
        percent(group.map((r) => r.accuracy)),
        percent(group.map((r) => r.robust)),
        percent(group.map((r) => r.criticality)),
        ...stages.map((s) => percent(group.map((r) => stage(r, s)))),
      ];
      return [`| ${cells.join(" | ")} |`];
    }),
  );
  const head = ["data", "training", "accuracy", "under PGD", "mean criticality", ...stages];
  return `${[`| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...lines].join("\n")}\n`;
}

/** The trainings of each data set, in the order of the configuration. */
const kinds = ["plain", "augmentation", "FGSM weak", "FGSM strong", "PGD weak", "PGD middle", "PGD strong"];

/** Criticality of each layer, one line for each training, one panel for each data set. */
function figureOf(config: Config, rows: readonly Row[]): string {
  const layers = rows[0]!.layers.map((l) => l.name);
  const points = (Object.keys(config.data) as DataName[]).flatMap((data) =>
    config.trainings[data].flatMap((training, i) => {
      const group = rows.filter((r) => r.data === data && labelOf(r.training) === labelOf(training));
      if (group.length === 0) return [];
      return layers.map((name, x) => {
        const values = group.map((r) => r.layers.find((l) => l.name === name)!.criticality);
        const strength = ["plain", "augmentation", "FGSM weak", "FGSM strong", "PGD weak", "PGD middle", "PGD strong"][i]!;
        return {
          panel: titles[data],
          training: strength,
          x,
          y: mean(values),
          low: Math.min(...values),
          high: Math.max(...values),
        };
      });
    }),
  );
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const plot = Plot.plot({
    document,
    width: 980,
    height: 660,
    marginLeft: 50,
    marginBottom: 110,
    marginRight: 110,
    style: { fontFamily: "system-ui, sans-serif", background: "white" },
    fy: { domain: Object.values(titles), label: null },
    x: {
      domain: [-0.5, layers.length - 0.5],
      ticks: layers.map((_, i) => i),
      tickFormat: (i: number) => layers[i] ?? "",
      tickRotate: -45,
      label: null,
    },
    y: { domain: [0, 1], grid: true, tickFormat: "~%", label: "criticality" },
    color: {
      domain: kinds,
      range: ["#1d2126", "#26734d", "#9ec5f4", "#2463a8", "#f6b7a5", "#e0704f", "#a32a0d"],
    },
    marks: [
      Plot.link(points, { fy: "panel", x1: "x", x2: "x", y1: "low", y2: "high", stroke: "training", strokeOpacity: 0.35 }),
      Plot.line(points, { fy: "panel", x: "x", y: "y", stroke: "training", strokeWidth: 1.8 }),
      Plot.dot(points, { fy: "panel", x: "x", y: "y", fill: "training", r: 2.6 }),
      Plot.text(kinds, {
        x: layers.length - 0.4,
        y: (_: string, i: number) => 0.95 - 0.09 * i,
        text: (kind: string) => kind,
        fill: (kind: string) => kind,
        textAnchor: "start",
        fontWeight: 600,
      }),
    ],
  });
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return plot.outerHTML;
}
