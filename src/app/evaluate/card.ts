import { tasks } from "../../vision/tasks/index.js";
import { type Comparison, metricOf, type Row } from "../compare/runs.js";
import { metricText } from "../report/headline.js";
import type { Suite } from "./suite.js";

/** What a model came to in a suite: the content of card.json. Values are of the headline metric; shares are in [0, 1]. */
export interface Card {
  readonly format: 1;
  readonly version: string;
  readonly suite: Suite;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly task: string;
  readonly data: { readonly name: string; readonly sha256?: string | undefined; readonly samples: number };
  readonly metric: { readonly name: string; readonly better: "higher" | "lower"; readonly against: "truth" | "prediction" };
  readonly clean: number | null;
  readonly attacks: readonly { readonly run: string; readonly value: number | null }[];
  readonly corruptions: readonly { readonly run: string; readonly value: number | null }[];
  /** The worst over the attacks (the ReM of SemSegBench), with its run; null where there is no finite value. */
  readonly worstAttack: { readonly run: string; readonly value: number } | null;
  readonly meanOfCorruptions: number | null;
  /** The worst over the corruptions (the GAM of SemSegBench). */
  readonly worstCorruption: { readonly run: string; readonly value: number } | null;
  readonly audits: { readonly failed: readonly string[]; readonly toLookAt: readonly string[] };
}

/** A run of the suite with its row. */
export interface Ran {
  readonly name: string;
  readonly corruption: string | undefined;
  readonly attack: string;
  readonly row: Row;
}

/** What stands for all runs. */
export function cardOf(
  comparison: Comparison,
  ran: readonly Ran[],
  about: Pick<Card, "version" | "suite" | "model" | "data">,
): Card {
  const { headline, against } = comparison;
  const value = ({ row }: Ran) => metricOf(comparison, row, "adversarial", headline.name);
  const listed = (list: readonly Ran[]) => list.map((r) => ({ run: r.name, value: value(r) }));
  const [clean, others] = [ran.find((r) => r.name === "clean")!, ran.filter((r) => r.name !== "clean")];
  const corruptions = listed(others.filter((r) => r.corruption !== undefined));
  const attacks = listed(others.filter((r) => r.corruption === undefined));
  const worst = (list: Card["attacks"]) => {
    const finite = list.flatMap(({ run, value }) => (value === null ? [] : [{ run, value }]));
    const sign = headline.better === "higher" ? 1 : -1;
    return finite.sort((a, b) => sign * (a.value - b.value))[0] ?? null;
  };
  const finite = corruptions.flatMap(({ value }) => (value === null ? [] : [value]));
  const audited = (audit: Row["audit"]) => ran.filter(({ row }) => row.audit === audit).map(({ name }) => name);
  return {
    format: 1,
    ...about,
    task: clean.row.task,
    metric: { name: headline.name, better: headline.better, against },
    clean: value(clean),
    attacks,
    corruptions,
    worstAttack: worst(attacks),
    meanOfCorruptions:
      finite.length === corruptions.length && finite.length > 0 ? finite.reduce((a, b) => a + b) / finite.length : null,
    worstCorruption: worst(corruptions),
    audits: { failed: audited("failed"), toLookAt: audited("to look at") },
  };
}

/** The card for people: card.md. */
export function cardText(card: Card): string {
  const { model, suite, data, metric } = card;
  const text = (value: number | null) =>
    value === null ? "–" : metricText(tasks[card.task as keyof typeof tasks], metric.name, value).replaceAll("\u00a0", " ");
  const best = (worst: Card["worstAttack"]) => (worst ? `${text(worst.value)} (${worst.run})` : "–");
  const rows = [
    ["clean", text(card.clean)],
    ...(card.attacks.length > 0 ? [["worst over attacks", best(card.worstAttack)]] : []),
    ...(card.corruptions.length > 0
      ? [
          ["mean over corruptions", text(card.meanOfCorruptions)],
          ["worst over corruptions", best(card.worstCorruption)],
        ]
      : []),
  ];
  const table = (list: readonly { run: string; value: number | null }[]) =>
    list.map(({ run, value }) => `| ${run} | ${text(value)} |`).join("\n");
  return `# ${model.name}

Suite ${suite.name}${suite.source ? ` (${suite.source})` : ""}, on ${data.samples} samples of ${data.name}. Model SHA-256 ${model.sha256}.
${metric.name} against ${metric.against === "truth" ? "the ground truth" : "the model's own clean prediction"}; ${metric.better} is better.

| | ${metric.name} |
|---|---:|
${rows.map(([name, value]) => `| ${name} | ${value} |`).join("\n")}
${card.attacks.length > 0 ? `\n| attack | ${metric.name} |\n|---|---:|\n${table(card.attacks)}\n` : ""}${card.corruptions.length > 0 ? `\n| corruption | ${metric.name} |\n|---|---:|\n${table(card.corruptions)}\n` : ""}${auditText(card)}`;
}

function auditText({ audits: { failed, toLookAt } }: Card): string {
  const lines = [
    ...(failed.length > 0 ? [`The audit fails of ${failed.join(", ")}: these numbers may be too good.`] : []),
    ...(toLookAt.length > 0 ? [`The audit has something to look at in ${toLookAt.join(", ")}.`] : []),
  ];
  return lines.length > 0 ? `\n${lines.join("\n")}\n` : "";
}
