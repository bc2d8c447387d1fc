import { formatOf } from "../../vision/metrics/measure.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Board, Standing } from "./standing.js";
import type { Cell, Table } from "./tables.js";

/** Cells of a table by class; models that would make it larger are left out, and named. */
const mostCells = 12_000;

/**
 * Class by class: each model clean and under its worst attack (that within the largest damage), where the task has a metric of each class. Undefined where
 * it has none.
 */
export function classTable({ group, standings }: Board): { readonly table: Table; readonly left: number } | undefined {
  const of = (standing: Standing, stage: "clean" | "adversarial") => {
    const row = stage === "clean" ? standing.clean?.row : worstRow(group.metric.better, standing);
    return row?.summary.metrics[row.against]?.[stage];
  };
  const names = new Map<number, { readonly metric: string; readonly key: string }>();
  for (const standing of standings)
    for (const key of [...Object.keys(of(standing, "clean") ?? {}), ...Object.keys(of(standing, "adversarial") ?? {})]) {
      const [, metric, label] = /^(.+) class (\d+)$/.exec(key) ?? [];
      if (metric !== undefined && !names.has(Number(label))) names.set(Number(label), { metric, key });
    }
  if (names.size === 0) return undefined;
  const labels = [...names].sort(([a], [b]) => a - b);
  const shown = standings.slice(0, Math.max(1, Math.floor(mostCells / (2 * labels.length))));
  const classes = shown.find((s) => s.rows[0]?.plan.spec.classes)?.rows[0]?.plan.spec.classes;
  const { formats } = tasks[group.task];
  const cell = (value: number | null | undefined, key: string): Cell => {
    const { text, nothing } = formatOf(formats, key);
    return { text: value === null || value === undefined ? nothing : text(value), value: value ?? null };
  };
  const several = shown.length > 1;
  return {
    left: standings.length - shown.length,
    table: {
      caption: `${labels[0]![1].metric} class by class`,
      head: [
        { text: "class", kind: "text" },
        ...shown.flatMap((s) => {
          const worst = worstRow(group.metric.better, s);
          return [
            { text: several ? `${s.model}, clean` : "clean", kind: "number" as const },
            ...(worst
              ? [{ text: several ? `${s.model}, attacked` : "attacked", title: `by ${worst.name}`, kind: "number" as const }]
              : []),
          ];
        }),
      ],
      rows: labels.map(([label, { key }]) => [
        { text: classes?.[label] ?? `class ${label}` },
        ...shown.flatMap((s) => [
          cell(of(s, "clean")?.[key], key),
          ...(worstRow(group.metric.better, s) ? [cell(of(s, "adversarial")?.[key], key)] : []),
        ]),
      ]),
    },
  };
}

/** The run that damages a model most within a radius. */
export function worstRow(better: "higher" | "lower", { worst }: Standing): Standing["rows"][number] | undefined {
  const sign = better === "higher" ? 1 : -1;
  return worst.toSorted((a, b) => sign * (a.value - b.value))[0]?.row;
}
