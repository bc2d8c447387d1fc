import * as Plot from "@observablehq/plot";
import { formatOf } from "../../vision/metrics/measure.js";
import { tasks } from "../../vision/tasks/index.js";
import { aFile, svgOf } from "../report/plot.js";
import { isUnattacked, metricOf, type Row } from "./runs.js";
import type { Board } from "./standing.js";

/** Colors are the report's CSS variables; the values behind them serve where a figure stands alone. */
const colors = [
  "var(--accent, #c8401f)",
  "var(--series-2, #2463a8)",
  "var(--series-3, #26734d)",
  "var(--series-4, #8a5bb0)",
  "var(--series-5, #9a6700)",
  "var(--soft, #5d6671)",
];

const height = 400;
/** Lines in one figure, and figures in one group: more cannot be told apart, and would make the page heavy. */
const mostLines = 12;
const mostFigures = 12;

export interface Figure {
  /** What it is called as a file: "epsilon-pgd". */
  readonly name: string;
  readonly caption: string;
  readonly svg: string;
}

interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** A metric along a number: the curves of one figure. */
interface Course {
  readonly along: string;
  readonly of: string;
  readonly levels: boolean;
  /** What lies on the other axis, and whether the clean number is the same thing. */
  readonly metric: { readonly label: string; readonly share: boolean; readonly clean: "drawn" | "another" };
  readonly lines: readonly Line[];
}

/**
 * The metric along each number of which an attack has several (epsilon, steps, ...), and along severity: for several models a figure for each attack with a
 * line for each model; for one model a figure with a line for each attack.
 */
export function curves(board: Board): { readonly figures: readonly Figure[]; readonly left: number } {
  const all = [...attackCourses(board), ...smallestCourses(board), ...severityCourse(board)];
  const figures = all.slice(0, mostFigures).map(
    (course): Figure => ({
      name: `${course.along}-${course.of}`.replaceAll(/[^\w.+-]+/g, "-").replaceAll(/^-+|-+$/g, ""),
      caption: captionOf(course),
      svg: drawn(board, course),
    }),
  );
  return { figures, left: all.length - figures.length };
}

function captionOf({ along, of, metric, lines }: Course): string {
  const shown = Math.min(lines.length, mostLines);
  const rest =
    shown < lines.length ? ` The ${mostLines / 2} highest and the ${mostLines / 2} lowest of ${lines.length} lines.` : "";
  return `${metric.label} along ${along}${of === "" ? "" : `: ${of}`}.${rest}`;
}

function attackCourses({ group }: Board): Course[] {
  const rows = group.rows.filter((row) => !isUnattacked(row) && metricOf(row, "adversarial", group.metric.name) !== null);
  const single = group.models.size === 1;
  const varied = [...new Set(rows.flatMap((r) => Object.keys(r.numbers)))].filter((name) => group.differ.includes(name));
  const courses = varied.flatMap((along) => {
    const having = rows.filter((r) => r.numbers[along] !== undefined);
    const others = group.differ.filter((name) => name !== along && name !== "model");
    const setting = (r: Row) =>
      others
        .flatMap((name) => {
          const fact = r.facts[name];
          if (fact === undefined || (name === "corruption" && fact === "none")) return [];
          return name === "attack" || name === "corruption" ? [fact] : [`${name} ${fact}`];
        })
        .join(", ");
    const byFigure = groupBy(having, (r) => (single ? "" : setting(r)));
    return [...byFigure].map(
      ([of, members]): Course => ({
        along,
        of: of === "" && !single ? members[0]!.facts.attack! : of,
        metric: underAttack(group),
        levels: along === "epsilon" && members.every((r) => r.plan.attack.budget.norm === "l_inf"),
        lines: [...groupBy(members, (r) => (single ? setting(r) || r.facts.attack! : r.facts.model!))].map(([name, of]) => ({
          name,
          points: of
            .map((r) => ({ x: r.numbers[along]!, y: metricOf(r, "adversarial", group.metric.name)! }))
            .sort((a, b) => a.x - b.x),
        })),
      }),
    );
  });
  return courses.filter(({ lines }) => lines.some(({ points }) => new Set(points.map((p) => p.x)).size > 1));
}

const shareOf = ({ task, metric }: Board["group"]): boolean => formatOf(tasks[task].formats, metric.name).share;
const underAttack = (group: Board["group"]): Course["metric"] => ({
  label: `${group.metric.name} under attack`,
  share: shareOf(group),
  clean: "drawn",
});

/** Of searches for the smallest perturbations: which share of the samples holds at each radius, a figure for each norm. */
function smallestCourses({ group }: Board): Course[] {
  const rows = group.rows.flatMap((row) => (row.summary.smallest ? [{ row, smallest: row.summary.smallest }] : []));
  const several = group.models.size > 1;
  return [...groupBy(rows, ({ smallest }) => smallest.norm)].map(
    ([norm, members]): Course => ({
      along: "epsilon",
      of: `smallest perturbations, ${norm}`,
      levels: norm === "l_inf",
      metric: { label: "share that holds", share: true, clean: "another" },
      lines: members.map(({ row, smallest }) => ({
        name: several ? `${row.facts.model}, ${row.facts.attack}` : row.facts.attack!,
        points: smallest.accuracy.map(({ epsilon, share }) => ({ x: epsilon, y: share })),
      })),
    }),
  );
}

/** The mean over the kinds at each severity, where several are there. */
function severityCourse({ group, standings, corruptions }: Board): Course[] {
  const severities = [...new Set(corruptions.map((c) => c.severity))].sort((a, b) => a - b);
  if (severities.length < 2) return [];
  const kinds = new Set(corruptions.map((c) => c.kind)).size;
  const lines = standings.map(({ model, corrupted }) => ({
    name: model,
    points: severities.flatMap((x) => {
      const values = corrupted.flatMap(({ severity, value }) => (severity === x && value !== null ? [value] : []));
      return values.length === kinds ? [{ x, y: values.reduce((a, b) => a + b) / kinds }] : [];
    }),
  }));
  const of = `mean over ${kinds} kind${kinds === 1 ? "" : "s"} of corruption`;
  return lines.some((l) => l.points.length > 1)
    ? [
        {
          along: "severity",
          of,
          levels: false,
          metric: { label: group.metric.name, share: shareOf(group), clean: "another" },
          lines,
        },
      ]
    : [];
}

function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const key = keyOf(item);
    const there = groups.get(key);
    if (there) there.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Where there are too many lines, those that end highest and lowest. */
function chosen(lines: readonly Line[]): readonly Line[] {
  if (lines.length <= mostLines) return lines;
  const order = lines.toSorted((a, b) => b.points.at(-1)!.y - a.points.at(-1)!.y);
  return [...order.slice(0, mostLines / 2), ...order.slice(-mostLines / 2)];
}

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

function drawn({ standings }: Board, { along, levels, metric, lines: all }: Course): string {
  const lines = chosen(all.filter((l) => l.points.length > 0));
  const points = lines.flatMap(({ name, points: of }) => of.map(({ x, y }) => ({ x: levels ? 255 * x : x, y, line: name })));
  const clean = standings.length === 1 && metric.clean === "drawn" ? (standings[0]!.clean?.value ?? null) : null;
  const values = [...(clean === null ? [] : [clean]), ...points.map((p) => p.y)];
  const low = Math.min(0, ...values);
  const top = Math.max(low + 1e-9, ...values.map((v) => v + 0.08 * Math.abs(v)));
  const ends = apart(
    lines.map(({ name }) => points.filter((p) => p.line === name).at(-1)!),
    (16 * (top - low)) / (height - 64),
  );
  const names = lines.map((l) => l.name);
  const short = (name: string) => (name.length > 34 ? `${name.slice(0, 33)}…` : name);
  const xs = [...new Set(points.map((p) => p.x))].sort((a, b) => a - b);
  return svgOf(
    {
      className: "plot",
      width: 860,
      height,
      marginLeft: 58,
      marginRight: 24 + 6.4 * Math.max(0, ...names.map((n) => short(n).length)),
      marginBottom: 44,
      style: { background: "none", color: "var(--soft, #5d6671)", fontFamily: "system-ui, sans-serif", fontSize: "12px" },
      x: {
        label: levels ? "epsilon, of 255 levels" : along,
        ...(xs.length <= 16 && { ticks: xs }),
        tickFormat: (v: number) => String(Number(v.toPrecision(3))),
      },
      y: {
        label: metric.label,
        grid: true,
        domain: [low, top],
        ...(metric.share && { tickFormat: "~%" }),
      },
      color: { domain: names, range: names.map((_, i) => colors[i % colors.length]!) },
      marks: [
        ...(clean !== null
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
          ? [
              Plot.text(ends, {
                x: "x",
                y: "y",
                text: (p: { line: string }) => short(p.line),
                fill: "line",
                textAnchor: "start",
                dx: 10,
                fontWeight: 600,
              }),
            ]
          : []),
      ],
    },
    aFile,
  );
}
