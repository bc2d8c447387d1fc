/**
 * Writes table.md and figure.svg from the results of both subjects.
 *
 *     npx tsx experiments/attack-effectiveness/present.ts
 */
import { writeFileSync } from "node:fs";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { config, type Setting, type SubjectName } from "./config.js";
import { type Cell, type Results, readResults } from "./results.js";

/** All cells of one setting of one subject. */
interface Panel {
  readonly subject: SubjectName;
  readonly title: string;
  readonly setting: Setting;
  readonly cells: readonly Cell[];
}

const order = ["noise", "fgsm", "bim", "pgd", "segpgd", "cospgd", "apgd", "apgd-cospgd", "ensemble"];
const { noiseDraws, heldOut, detector } = config;

function panelsOf(subject: SubjectName, { cells }: Results): Panel[] {
  return config.settings[subject].map((setting) => {
    const { norm, epsilon } = setting;
    const title = `${subject}, ${norm === "l_inf" ? "l∞" : "l₂"}, ε = ${epsilon}`;
    return { subject, title, setting, cells: cells.filter((c) => c.norm === norm && c.epsilon === epsilon) };
  });
}

const percent = (share: number) => (100 * share).toFixed(2);

/** Mean over the seeds, and how far the furthest seed lies from it. */
function spread(found: readonly Cell[]): { mean: number; reach: number } {
  const mean = found.reduce((sum, c) => sum + c.mIoU, 0) / found.length;
  return { mean, reach: Math.max(...found.map((c) => Math.abs(c.mIoU - mean))) };
}

const markdownTable = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [header, header.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

function scores({ setting, cells, title }: Panel): string {
  const columns = [0, 1, ...setting.steps];
  const entry = (attack: string, steps: number) => {
    const found = cells.filter((c) => c.attack === attack && c.steps === steps);
    if (found.length === 0) return "";
    const { mean, reach } = spread(found);
    return found.length > 1 ? `${percent(mean)} ± ${percent(reach)} (${found.length})` : percent(mean);
  };
  const header = ["attack", "no step", "1 step", ...setting.steps.map((s) => `${s} steps`)];
  return `### ${title}\n\n${markdownTable(
    header,
    order.map((attack) => [attack, ...columns.map((steps) => entry(attack, steps))]),
  )}`;
}

/** Whether the published order holds at each number of steps. */
function verdicts({ setting, cells, title }: Panel): string[][] {
  const at = (attack: string, steps: number) => spread(cells.filter((c) => c.attack === attack && c.steps === steps));
  const relation = (stronger: string, weaker: string, steps: number): string => {
    const [a, b] = [at(stronger, steps), at(weaker, steps)];
    if (setting.seeds.length === 1) return a.mean <= b.mean ? "holds (one seed)" : "reversed (one seed)";
    if (a.mean + a.reach < b.mean - b.reach) return "holds";
    if (b.mean + b.reach < a.mean - a.reach) return "**reversed**";
    return a.mean <= b.mean ? "holds on the mean" : "reversed on the mean";
  };
  return setting.steps.map((steps) => [
    title,
    String(steps),
    relation("segpgd", "pgd", steps),
    relation("cospgd", "segpgd", steps),
    relation("cospgd", "pgd", steps),
  ]);
}

function section(subject: SubjectName, what: string, results: Results): string {
  const intro = `## The ${subject}: ${what}\n\nClean mIoU ${percent(results.clean.mIoU)}, pixel accuracy ${percent(results.clean.aAcc)}.`;
  return [intro, ...panelsOf(subject, results).map(scores)].join("\n\n");
}

function figureOf(panels: readonly Panel[]): string {
  const shown = order.filter((attack) => !["noise", "fgsm"].includes(attack));
  const points = panels.flatMap(({ title, cells }) =>
    cells.filter((c) => shown.includes(c.attack)).map(({ attack, steps, mIoU }) => ({ panel: title, attack, steps, mIoU })),
  );
  const levels = panels.flatMap(({ title, cells }) =>
    ["noise", "fgsm"].map((attack) => ({ panel: title, attack, mIoU: spread(cells.filter((c) => c.attack === attack)).mean })),
  );
  const roomy = panels[0]!.title;
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const figure = Plot.plot({
    document: document as unknown as Document,
    width: 240 * panels.length,
    height: 380,
    marginTop: 36,
    style: { background: "white", fontFamily: "system-ui, sans-serif", fontSize: "12px" },
    x: { type: "log", label: "steps", ticks: [3, 5, 10, 20, 40], tickFormat: "d" },
    y: { label: "mIoU under attack", tickFormat: "~%", grid: true, zero: true },
    fx: { label: null, domain: panels.map((p) => p.title) },
    color: { domain: shown, scheme: "Tableau10" },
    marks: [
      Plot.ruleY([0]),
      Plot.ruleY(levels, { fx: "panel", y: "mIoU", stroke: "#999", strokeDasharray: "4 3" }),
      Plot.text(levels, { fx: "panel", y: "mIoU", text: "attack", frameAnchor: "left", dy: -7, dx: 4, fill: "#777" }),
      Plot.dot(points, { fx: "panel", x: "steps", y: "mIoU", fill: "attack", r: 2, fillOpacity: 0.6 }),
      Plot.line(
        points,
        Plot.groupX({ y: "mean" }, { fx: "panel", x: "steps", y: "mIoU", z: "attack", stroke: "attack", strokeWidth: 1.8 }),
      ),
      // The legend, where there is room.
      ...shown.map((attack, i) =>
        Plot.text([{ attack, panel: roomy }], {
          fx: "panel",
          text: "attack",
          fill: "attack",
          frameAnchor: "top-right",
          fontWeight: 600,
          dy: 15 * i + 8,
          dx: -6,
        }),
      ),
    ],
  });
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${figure.outerHTML}\n`;
}

const subjects: readonly [SubjectName, string][] = [
  ["segmenter", `${heldOut.samples} held-out scenes against their true labels`],
  [
    "detector",
    `${detector.images.length} pictures, resized to ${detector.height}x${detector.width}, against its own clean prediction`,
  ],
];
const parts = subjects.flatMap(([subject, what]) => {
  const results = readResults(subject);
  return results ? [{ subject, what, results }] : [];
});
const panels = parts.flatMap(({ subject, results }) => panelsOf(subject, results));
const text = [
  `mIoU in percent: lower is a stronger attack. Mean over the seeds ± the furthest seed (number of seeds), or one seed; FGSM and BIM have no random start. ` +
    `Of noise, the draw of highest loss among ${noiseDraws} counts.`,
  ...parts.map(({ subject, what, results }) => section(subject, what, results)),
  "## Does CosPGD ≤ SegPGD ≤ PGD hold?",
  '"holds" and "reversed": the ranges over the seeds do not overlap.',
  markdownTable(["setting", "steps", "SegPGD ≤ PGD", "CosPGD ≤ SegPGD", "CosPGD ≤ PGD"], panels.flatMap(verdicts)),
].join("\n\n");
writeFileSync(new URL("table.md", import.meta.url), `${text}\n`);
writeFileSync(new URL("figure.svg", import.meta.url), figureOf(panels));
