import { writeFile } from "node:fs/promises";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import type { Part, Row, StudyConfig } from "./types.js";

/** Writes table.md, and for each part the figures robustness-PART and, where spectra were kept, spectra-PART as SVG and PNG. */
export async function writeReport(results: string, config: StudyConfig, rows: readonly Row[]): Promise<void> {
  const tables = Object.entries(config.parts).map(([name, part]) => {
    const own = rows.filter((r) => r.part === name);
    return `## ${name}\n\n${tableOf(part, own)}\n`;
  });
  await writeFile(`${results}/table.md`, tables.join("\n"));
  for (const [name, part] of Object.entries(config.parts)) {
    const own = rows.filter((r) => r.part === name);
    const spectra = part.attacks.spectrum === undefined ? [] : [["spectra", spectraFigure(part, own)] as const];
    for (const [kind, svg] of [["robustness", robustnessFigure(part, own)] as const, ...spectra]) {
      const file = `${results}/${kind}-${name.replaceAll(" ", "-")}`;
      await writeFile(`${file}.svg`, svg);
      await sharp(Buffer.from(svg), { density: 144 }).flatten({ background: "white" }).png().toFile(`${file}.png`);
    }
  }
  process.stdout.write(`${results}/table.md\n`);
}

const metricOf = ({ task }: Part) =>
  task === "restoration"
    ? { name: "psnr", label: "PSNR (dB)", scale: 1, digits: 2, beside: "ssim" }
    : { name: "mIoU", label: "mIoU (%)", scale: 100, digits: 1 };

function labelsOf({ attacks: { names, steps } }: Part): string[] {
  return ["clean", ...names.flatMap((name) => (name === "fgsm" ? [name] : steps.map((n) => `${name} ${n}`)))];
}

/** Means ± half the range over the seeds; of restored images PSNR / SSIM. */
function tableOf(part: Part, rows: readonly Row[]): string {
  const labels = labelsOf(part);
  const { name, label, scale, digits, beside } = metricOf(part);
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = row.network === "none" ? "no network" : `${row.network}${row.training === "FGSM" ? " + FGSM" : ""}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const lines = [...groups].map(([key, group]) => {
    const cells = labels.map((l) => {
      const scores = group.map((r) => r.scores[l]!);
      const main = spread(
        scores.map((s) => scale * s[name]!),
        digits,
      );
      return beside === undefined ? main : `${main} / ${mean(scores.map((s) => s[beside]!)).toFixed(3)}`;
    });
    const grids = (["clean", "attacked"] as const).flatMap((state) => {
      const values = group.flatMap((r) => r.spectra?.[state].grid ?? []);
      return values.length === 0 ? [] : spread(values, 2);
    });
    const parameters = group[0]!.parameters === 0 ? "" : `${(group[0]!.parameters / 1000).toFixed(1)} k`;
    return `| ${[key, parameters, group.length, ...cells, ...grids].join(" | ")} |`;
  });
  const { spectrum } = part.attacks;
  const head = [
    "network",
    "parameters",
    "seeds",
    ...labels,
    ...(spectrum === undefined ? [] : ["grid, clean", `grid, ${spectrum}`]),
  ];
  const title = beside === undefined ? label : `${label} / ${beside.toUpperCase()}`;
  return [`${title}:`, "", `| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...lines].join("\n");
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export function spread(values: readonly number[], digits: number): string {
  const half = (Math.max(...values) - Math.min(...values)) / 2;
  return values.length > 1 ? `${mean(values).toFixed(digits)} ± ${half.toFixed(digits)}` : mean(values).toFixed(digits);
}

/** The metric against the steps of the last attack, a line for each seed; dashed: no network at all, the images themselves under the same attack. */
function robustnessFigure(part: Part, rows: readonly Row[]): string {
  const { name, label, scale } = metricOf(part);
  const attack = part.attacks.names.at(-1)!;
  const { panels } = part;
  const hue = panels === "network" ? "training" : "network";
  const domains = { network: Object.keys(part.networks), training: part.trainings };
  const pointsOf = (r: Row) =>
    [0, ...part.attacks.steps].map((n) => ({
      ...keyOf(r),
      steps: n,
      value: scale * r.scores[n === 0 ? "clean" : `${attack} ${n}`]![name]!,
    }));
  const points = rows.filter((r) => r.network !== "none").flatMap(pointsOf);
  const untouched = rows
    .filter((r) => r.network === "none")
    .flatMap((r) => domains[panels].flatMap((panel) => pointsOf(r).map((p) => ({ ...p, [panels]: panel }))));
  return plotOf({
    fx: { domain: domains[panels], label: null },
    x: { label: `${attack} steps`, ticks: [0, ...part.attacks.steps] },
    y: { label, grid: true },
    color: { domain: domains[hue], legend: true },
    marks: [
      Plot.line(untouched, { fx: panels, x: "steps", y: "value", stroke: "#78716c", strokeDasharray: "3 3" }),
      Plot.line(points, {
        fx: panels,
        x: "steps",
        y: "value",
        stroke: hue,
        z: (d: { network: string; training: string; seed: number }) => `${d.network}${d.training}${d.seed}`,
        strokeOpacity: 0.7,
      }),
      Plot.dot(points, { fx: panels, x: "steps", y: "value", fill: hue, r: 2 }),
    ],
  });
}

const keyOf = ({ network, training, seed }: Row) => ({ network, training, seed });

function spectraFigure(part: Part, rows: readonly Row[]): string {
  const points = rows
    .filter((r) => r.network !== "none" && r.training === part.trainings[0])
    .flatMap((r) =>
      (["clean", "attacked"] as const).flatMap((state) =>
        (r.spectra?.[state].radial ?? []).map((power, i, { length }) => ({
          ...keyOf(r),
          state: state === "clean" ? "clean" : part.attacks.spectrum,
          frequency: (i + 1) / length,
          power,
        })),
      ),
    );
  return plotOf({
    fx: { domain: ["clean", part.attacks.spectrum!], label: null },
    x: { label: "frequency, of the Nyquist limit" },
    y: { label: part.task === "restoration" ? "log power of restored − sharp" : "log power of the logits", grid: true },
    color: { domain: Object.keys(part.networks), legend: true },
    marks: [
      Plot.line(points, {
        fx: "state",
        x: "frequency",
        y: "power",
        stroke: "network",
        z: (d: { network: string; seed: number }) => `${d.network}${d.seed}`,
        strokeOpacity: 0.7,
      }),
    ],
  });
}

/** The figure as one SVG; the legend is drawn as text above it. */
function plotOf(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const names = options.color!.domain as readonly string[];
  const palette = ["#1d4ed8", "#c2410c", "#15803d", "#7e22ce", "#be123c", "#0e7490", "#78716c", "#a16207"];
  const range = names.map((_, i) => palette[i % palette.length]!);
  const plot = Plot.plot({
    ...options,
    document,
    width: 980,
    height: 360,
    marginTop: 72,
    color: { domain: names, range, legend: false },
  });
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const legend = names.map((name, i) => `<tspan fill="${range[i]}" dx="${i === 0 ? 0 : 14}">${name}</tspan>`).join("");
  return plot.outerHTML.replace(
    /<\/svg>$/,
    `<text x="40" y="34" text-anchor="start" font-family="system-ui, sans-serif" font-size="12">${legend}</text></svg>`,
  );
}
