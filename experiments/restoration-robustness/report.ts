import { writeFile } from "node:fs/promises";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import type { Config, Row, Score } from "./types.js";

/** Writes table.md, figure.svg and figure.png: means over the seeds. */
export async function writeReport(folder: string, config: Config, rows: readonly Row[]): Promise<void> {
  const columns = ["clean", ...config.attacks.names.flatMap((name) => config.attacks.steps.map((n) => `${name} ${n}`))];
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.network}, ${row.training}, ${row.steps}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const cell = (group: readonly Row[], column: string): string => {
    const scores = group.flatMap((r) => r.scores[column] ?? []);
    return scores.length === 0 ? "" : `${psnr(scores)} / ${mean(scores.map((s) => s.ssim)).toFixed(3)}`;
  };
  const lines = [...groups.values()].map((group) => {
    const { network, training, steps } = group[0]!;
    const longer = steps > config.training.steps ? `, ${steps} steps` : "";
    const label = network === "none" ? "blurred image" : `${network}${training === "standard" ? "" : " + FGSM"}${longer}`;
    return `| ${[label, ...columns.map((c) => cell(group, c))].join(" | ")} |`;
  });
  const head = [`| network | ${columns.join(" | ")} |`, `|${"---|".repeat(columns.length + 1)}`];
  await writeFile(`${folder}/table.md`, `${[...head, ...lines].join("\n")}\n`);
  const svg = figure(config, rows);
  await writeFile(`${folder}/figure.svg`, svg);
  await sharp(Buffer.from(svg), { density: 144 }).flatten({ background: "white" }).png().toFile(`${folder}/figure.png`);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** "29.3 ± 0.2": mean and half the range over the seeds. */
function psnr(scores: readonly Score[]): string {
  const values = scores.map((s) => s.psnr);
  const spread = (Math.max(...values) - Math.min(...values)) / 2;
  return values.length > 1 ? `${mean(values).toFixed(2)} ± ${spread.toFixed(2)}` : mean(values).toFixed(2);
}

/** PSNR against the number of CosPGD steps, one panel for each network; dashed: the blurred images themselves under the same attack. */
function figure(config: Config, rows: readonly Row[]): string {
  const names = Object.keys(config.networks);
  const line = (r: Row, network: string) =>
    [0, ...config.attacks.steps].map((n) => ({
      network,
      training: r.training,
      seed: r.seed,
      steps: n,
      psnr: r.scores[n === 0 ? "clean" : `cospgd ${n}`]!.psnr,
    }));
  const none = rows.filter((r) => r.network === "none");
  const points = rows.filter((r) => r.steps === config.training.steps).flatMap((r) => line(r, r.network));
  const untouched = names.flatMap((name) => none.flatMap((r) => line(r, name)));
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const plot = Plot.plot({
    document,
    width: 980,
    height: 300,
    marginTop: 40,
    fx: { domain: names, label: null },
    x: { label: "CosPGD steps", ticks: [0, ...config.attacks.steps] },
    y: { label: "PSNR (dB)", grid: true },
    color: { domain: ["standard", "FGSM"], range: ["#c2410c", "#1d4ed8"], legend: false },
    marks: [
      Plot.line(untouched, { fx: "network", x: "steps", y: "psnr", stroke: "#78716c", strokeDasharray: "3 3" }),
      Plot.line(points, { fx: "network", x: "steps", y: "psnr", stroke: "training", z: (d) => `${d.training}${d.seed}` }),
      Plot.dot(points, { fx: "network", x: "steps", y: "psnr", fill: "training", r: 2.5 }),
    ],
  });
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return plot.outerHTML;
}
