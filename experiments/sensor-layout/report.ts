import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { streetClasses } from "../../src/vision/data/synthetic/street.js";
import { type Config, last, type Row, type SubjectName } from "./types.js";

/** All finished trainings. */
export function readRows(folder: string): Row[] {
  const results = `${folder}/results`;
  if (!existsSync(results)) return [];
  const files = readdirSync(results).filter((name) => name.endsWith(".json"));
  return files.sort().flatMap((name) => JSON.parse(readFileSync(`${results}/${name}`, "utf8")) as Row[]);
}

/** table.md, figure.svg and layouts.svg from what is finished. */
export async function writeReport(folder: string, config: Config): Promise<void> {
  const rows = readRows(folder);
  writeFileSync(`${folder}/table.md`, `${table(config, rows)}\n${classTable(config, rows)}`);
  writeFileSync(`${folder}/figure.svg`, differences(config, rows));
  writeFileSync(`${folder}/course.svg`, courses(config, rows));
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
/** Standard deviation of a sample. */
const deviation = (values: readonly number[]): number =>
  values.length < 2 ? 0 : Math.sqrt(values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / (values.length - 1));
const percent = (values: readonly number[]): string =>
  `${(100 * mean(values)).toFixed(1)} ± ${(100 * deviation(values)).toFixed(1)}`;
const points = (values: readonly number[]): string => {
  const error = (100 * deviation(values)) / Math.sqrt(values.length);
  return `${mean(values) >= 0 ? "+" : ""}${(100 * mean(values)).toFixed(2)} ± ${error.toFixed(2)}`;
};

const titles: Readonly<Record<SubjectName, string>> = { mnist: "digits", streets: "streets" };

interface Group {
  readonly subject: SubjectName;
  readonly sensor: string;
  readonly variant: string;
  readonly rows: readonly Row[];
  /** Score less that of the uniform sensor with the same seed and integral. */
  readonly gains: readonly number[];
}

function groups(config: Config, rows: readonly Row[]): Group[] {
  return (Object.keys(config) as SubjectName[]).flatMap((subject) =>
    config[subject].sensors.flatMap((size) =>
      config[subject].variants.flatMap(({ name, integration }): Group[] => {
        const of = (variant: string) =>
          rows.filter((r) => r.subject === subject && r.sensor.join() === size.join() && r.variant === variant);
        const mine = of(name);
        const reference = of(integration?.kind === "exact" ? "uniform, exact" : "uniform");
        const gains = mine.flatMap((row) => {
          const other = reference.find((r) => r.seed === row.seed);
          return other ? [last(row).score - last(other).score] : [];
        });
        return mine.length === 0 ? [] : [{ subject, sensor: size.join("x"), variant: name, rows: mine, gains }];
      }),
    ),
  );
}

function table(config: Config, rows: readonly Row[]): string {
  const lines = groups(config, rows).map(({ subject, sensor, variant, rows: mine, gains }) => {
    const theta = last(mine[0]!).theta.map((_, q) => mean(mine.map((r) => last(r).theta[q]!)).toFixed(2));
    const wins = gains.filter((g) => g > 0).length;
    const against = variant.startsWith("uniform") ? ["", ""] : [points(gains), `${wins} of ${gains.length}`];
    const score = percent(mine.map((r) => last(r).score));
    const accuracy = subject === "mnist" ? "" : percent(mine.map((r) => last(r).accuracy));
    return `| ${[titles[subject], sensor, variant, score, accuracy, ...against, theta.join(", ")].join(" | ")} |`;
  });
  const head = [
    "data",
    "sensor",
    "layout",
    "accuracy or mIoU, %",
    "pixel accuracy, %",
    "gain on uniform, points",
    "better",
    "s, t",
  ];
  return `${[`| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...lines].join("\n")}\n`;
}

function classTable(config: Config, rows: readonly Row[]): string {
  const of = groups(config, rows).filter(({ subject }) => subject === "streets");
  const lines = of.map(({ sensor, variant, rows: mine }) => {
    const cells = streetClasses.map((_, k) => (100 * mean(mine.map((r) => r.classes![k]!))).toFixed(1));
    return `| ${[sensor, variant, ...cells].join(" | ")} |`;
  });
  const head = ["sensor", "layout", ...streetClasses.map((name) => `IoU ${name}`)];
  return `${[`| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...lines].join("\n")}\n`;
}

const colors: Readonly<Record<string, string>> = {
  uniform: "#5d6671",
  rectangular: "#c8401f",
  curvilinear: "#2463a8",
  elliptic: "#26734d",
  "rectangular, boundary integral": "#9a6700",
  "uniform, exact": "#5d6671",
  "rectangular, exact": "#8a5bb0",
};
const scale = { domain: Object.keys(colors), range: Object.values(colors) };

function drawn(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const style = { fontFamily: "system-ui, sans-serif", background: "white" };
  const plot = Plot.plot({ document: document as unknown as Document, style, ...options });
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${plot.outerHTML}\n`;
}

/** Gain of each learned layout on the uniform sensor: a dot for each seed, a bar for the mean. */
function differences(config: Config, rows: readonly Row[]): string {
  const all = groups(config, rows).filter(({ variant }) => !variant.startsWith("uniform"));
  const place = ({ subject, sensor, variant }: Group) => `${titles[subject]} ${sensor}: ${variant}`;
  const dots = all.flatMap((g) => g.gains.map((gain) => ({ place: place(g), gain: 100 * gain, variant: g.variant })));
  const bars = all.map((g) => ({ place: place(g), gain: 100 * mean(g.gains), variant: g.variant }));
  return drawn({
    width: 820,
    height: 60 + 24 * all.length,
    marginLeft: 270,
    x: { label: "points gained on the uniform sensor, same seed", grid: true },
    y: { label: null, domain: all.map(place) },
    color: scale,
    marks: [
      Plot.ruleX([0], { stroke: "#1d2126" }),
      Plot.barX(bars, { x: "gain", y: "place", fill: "variant", fillOpacity: 0.3 }),
      Plot.dot(dots, { x: "gain", y: "place", fill: "variant", r: 3.5 }),
    ],
  });
}

/** Mean course of the layouts' parameters. */
function courses(config: Config, rows: readonly Row[]): string {
  const shown = groups(config, rows).filter(({ variant }) => !variant.startsWith("uniform"));
  const values = shown.flatMap(({ subject, sensor, variant, rows: mine }) =>
    mine.flatMap((row) =>
      [{ step: 0, theta: [0, 0] }, ...row.course].flatMap(({ step, theta }) =>
        ["s (width)", "t (height)"].map((parameter, q) => ({
          panel: `${titles[subject]} ${sensor}`,
          parameter,
          step: step / row.course.at(-1)!.step,
          value: theta[q]!,
          variant,
          line: `${variant}/${row.seed}`,
        })),
      ),
    ),
  );
  return drawn({
    width: 960,
    height: 460,
    marginLeft: 50,
    marginRight: 70,
    color: { ...scale, legend: false },
    fx: { label: null, domain: [...new Set(values.map((v) => v.panel))] },
    fy: { label: null },
    x: { label: "share of the training", ticks: [0, 0.5, 1] },
    y: { label: "θ", grid: true },
    marks: [
      Plot.line(values, {
        fx: "panel",
        fy: "parameter",
        x: "step",
        y: "value",
        z: "line",
        stroke: "variant",
        strokeWidth: 1.3,
        strokeOpacity: 0.75,
      }),
    ],
  });
}
