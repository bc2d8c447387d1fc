import { readFileSync } from "node:fs";
import { join } from "node:path";
import { foldedAdvice } from "../../methods/criticality/folded.js";
import { averaged, type LayerProfile } from "../../methods/criticality/profile.js";
import { columns } from "../cli/table.js";
import { distinctNames } from "../distinct-names.js";
import { page, table } from "../report/document.js";
import { plain } from "../report/html.js";
import { RunError } from "../runs/error.js";
import { comparisonFigure } from "./figure.js";
import type { CriticalityResult } from "./result.js";
import { percent } from "./words.js";

/** Profiles side by side. All numbers are means over the layers that every run has. */
export interface Comparison {
  readonly runs: readonly {
    readonly name: string;
    readonly model: string;
    readonly average: number;
    /** Standard error of the average that comes from the draws of fresh weights; absent where a single trial leaves it unknown. */
    readonly standardError?: number;
    readonly intactAccuracy?: number;
  }[];
  readonly layers: readonly {
    readonly name: string;
    readonly stage: string;
    readonly kind: LayerProfile["kind"];
    readonly criticality: readonly number[];
  }[];
  /** Over convolutions and linear layers, or groups. */
  readonly stages: readonly { readonly name: string; readonly layers: number; readonly criticality: readonly number[] }[];
  /** What makes the runs less than comparable. */
  readonly notes: readonly string[];
}

/** @throws RunError when a directory holds no finished criticality run, or the runs share no layers. */
export function readRuns(paths: readonly string[]): { name: string; result: CriticalityResult }[] {
  const names = distinctNames(paths.map((path) => path.replace(/[\\/]criticality\.json$/, "")));
  return paths.map((path, i) => {
    const file = path.endsWith(".json") ? path : join(path, "criticality.json");
    try {
      return { name: names[i]!, result: JSON.parse(readFileSync(file, "utf8")) as CriticalityResult };
    } catch {
      throw new RunError(
        `${path} holds no finished criticality run (no readable ${file}); finish it with faultline criticality.`,
      );
    }
  });
}

export function comparisonOf(runs: readonly { readonly name: string; readonly result: CriticalityResult }[]): Comparison {
  if (runs.length < 2) throw new RunError("A comparison takes at least two runs; name another one.");
  const inAll = runs[0]!.result.layers.filter((l) => runs.every((r) => r.result.layers.some((o) => o.name === l.name)));
  if (inAll.length === 0)
    throw new RunError(
      `${runs.map((r) => r.name).join(" and ")} have no layer names in common; compare runs of one architecture.`,
    );
  const layers = inAll.map(({ name, stage, kind }) => ({
    name,
    stage,
    kind,
    criticality: runs.map((r) => r.result.layers.find((l) => l.name === name)!.criticality),
  }));
  const counted = averaged(layers);
  const names = new Set(counted.map((l) => l.name));
  const mean = (of: readonly (typeof layers)[number][], run: number) =>
    of.reduce((sum, l) => sum + l.criticality[run]!, 0) / of.length;
  const stages = [...new Set(counted.map((l) => l.stage))].map((name) => {
    const members = counted.filter((l) => l.stage === name);
    return { name, layers: members.length, criticality: runs.map((_, i) => mean(members, i)) };
  });
  const differs = (of: (r: CriticalityResult) => unknown) => runs.some((r) => of(r.result) !== of(runs[0]!.result));
  const left = Math.max(...runs.map((r) => r.result.layers.length)) - inAll.length;
  const notes = [
    ...(differs((r) => r.reset) ? ["The runs reset in different ways; their numbers are not comparable as they are."] : []),
    ...(differs((r) => r.measure)
      ? ["The runs measure different things (decisions in one, continuous predictions in another)."]
      : []),
    ...(differs((r) => r.images) ? ["The runs used different numbers of images."] : []),
    ...(differs((r) => isFolded(r))
      ? [
          `Batch normalization is folded into the convolutions of ${runs
            .filter((r) => isFolded(r.result))
            .map((r) => r.name)
            .join(" and ")} and not of the others; their numbers are not comparable as they are.`,
        ]
      : []),
    ...(left > 0 ? [`${left} layers are not in all runs and are left out.`] : []),
  ];
  return {
    runs: runs.map(({ name, result }, i) => ({
      name,
      model: result.model,
      average: mean(counted, i),
      ...standardErrorOf(result.layers.filter((l) => names.has(l.name))),
      ...(result.intactAccuracy !== undefined && { intactAccuracy: result.intactAccuracy }),
    })),
    layers,
    stages,
    notes,
  };
}

/** Layers are drawn independently, so the variances of their means add up. */
function standardErrorOf(layers: readonly LayerProfile[]): { standardError?: number } {
  if (layers.some((l) => l.trials.length < 2)) return {};
  const variance = layers.reduce((sum, l) => sum + l.deviation ** 2 / l.trials.length, 0);
  return { standardError: Math.sqrt(variance) / layers.length };
}

/** The comparison in a sentence: which run rests on more of its layers, if that is more than the draws make. */
export function verdict({ runs }: Comparison): string {
  const order = runs.toSorted((a, b) => b.average - a.average);
  const [top, bottom] = [order[0]!, order.at(-1)!];
  const errors = [top.standardError, bottom.standardError];
  const byChance = errors.every((e) => e !== undefined) ? 2 * Math.hypot(...(errors as number[])) : 0;
  if (top.average - bottom.average <= byChance)
    return `The runs rest on their layers alike: mean criticality ${percent(bottom.average)} to ${percent(top.average)}, and fresh draws alone make differences of ${points(byChance)}.`;
  return `${top.name} rests on more of its layers: mean criticality ${percent(top.average)}, against ${percent(bottom.average)} of ${bottom.name}.`;
}

const points = (v: number): string => `${(100 * v).toFixed(1)} points`;

const isFolded = ({ notes }: CriticalityResult): boolean => notes.some((n) => n.includes(foldedAdvice));

/** The per-stage table for the terminal. */
export function comparisonText(comparison: Comparison): string {
  const { head, rows } = stageTable(comparison);
  return `${[columns(head, rows), "", verdict(comparison), ...comparison.notes].join("\n")}\n`;
}

function stageTable({ runs, stages }: Comparison): { head: string[]; rows: string[][] } {
  return {
    head: ["stage", "layers", ...runs.map((r) => r.name)],
    rows: [
      ...stages.map((s) => [s.name, String(s.layers), ...s.criticality.map(percent)]),
      ["all", String(stages.reduce((n, s) => n + s.layers, 0)), ...runs.map((r) => percent(r.average))],
    ],
  };
}

export function comparisonPage(
  comparison: Comparison,
  runs: readonly { readonly name: string; readonly result: CriticalityResult }[],
): { svg: string; html: string } {
  const shared = new Set(comparison.layers.map((l) => l.name));
  const svg = comparisonFigure(
    runs.map(({ name, result }) => ({ name, layers: result.layers.filter((l) => shared.has(l.name)) })),
  );
  const names = comparison.runs.map((r) => r.name);
  const stages = stageTable(comparison);
  const order = comparison.runs.toSorted((a, b) => b.average - a.average);
  const [top, bottom] = [order[0]!, order.at(-1)!];
  const gain = comparison.stages
    .map((s) => ({
      name: s.name,
      gain: s.criticality[comparison.runs.indexOf(top)]! - s.criticality[comparison.runs.indexOf(bottom)]!,
    }))
    .toSorted((a, b) => b.gain - a.gain);
  const html = page(
    "layer criticality",
    "Criticality compared",
    `<h1>${plain(verdict(comparison))}</h1>
<p>By stage, ${plain(top.name)} is furthest above ${plain(bottom.name)} in ${plain(gain[0]!.name)} (${points(gain[0]!.gain)}) and least in ${plain(gain.at(-1)!.name)} (${points(gain.at(-1)!.gain)}).</p>
${comparison.notes.map((n) => `<p>${plain(n)}</p>`).join("")}
<figure class="full">${svg}</figure>
<h2>Stages</h2><div class="scroll">${table(stages.head, stages.rows)}</div>
<h2>Layers</h2><div class="scroll">${table(
      ["layer", "stage", ...names],
      comparison.layers.map((l) => [l.name, l.stage, ...l.criticality.map(percent)]),
    )}</div>`,
  );
  return { svg, html };
}
