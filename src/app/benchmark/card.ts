import { z } from "zod";
import { tasks } from "../../vision/tasks/index.js";
import { distinctNames } from "../distinct-names.js";
import { type Suite, suiteSchema } from "../evaluate/suite.js";
import { type TransferFrom, transferFromSchema } from "../evaluate/transfer-from.js";
import { metricText } from "../report/headline.js";
import { shortPath } from "../report/words.js";
import { isUnattacked, type Row } from "./runs.js";
import type { Board, Standing } from "./standing.js";

/** Number of the form of card.json. */
const cardFormat = 2;

const value = z.number().nullable().describe("null: infinite, or not measured");
const worstRun = z.object({ run: z.string(), value: z.number() }).nullable();

/** What a model came to on one data set: the content of card.json. Values are of `metric`; shares are from 0 to 1. */
export const cardSchema = z.object({
  format: z.literal(cardFormat),
  version: z.string().describe("of Faultline"),
  suite: suiteSchema.optional().describe("what the model was put through, where it was a suite"),
  model: z.object({ name: z.string(), sha256: z.string() }),
  task: z.string(),
  data: z.object({
    name: z.string(),
    sha256: z.string().optional().describe("of names, pictures and truth of some samples"),
    samples: z.number().int(),
  }),
  setting: z.record(z.string(), z.string()).describe("what numbers must share to be compared with these, in words"),
  metric: z.object({
    name: z.string(),
    better: z.enum(["higher", "lower"]),
    against: z.enum(["truth", "prediction"]).describe("prediction: the model's own clean one"),
  }),
  clean: value,
  attacks: z.array(
    z.object({
      run: z.string(),
      label: z.string().describe("what tells it from the other attacks, for people"),
      attack: z.string(),
      parameters: z.record(z.string(), z.string()).describe("as they are typed"),
      corruption: z.string().optional().describe("what was done to the images before the attack"),
      value,
    }),
  ),
  corruptions: z.array(z.object({ run: z.string(), kind: z.string(), severity: z.number().int(), value })),
  transfers: z
    .array(transferFromSchema.omit({ on: true }))
    .optional()
    .describe("images of runs on other models, shown to this one as they are"),
  worstAttack: worstRun.describe("the worst over all attacks within a radius (SemSegBench's ReM)"),
  worst: z
    .array(z.object({ threat: z.string(), run: z.string(), value: z.number(), over: z.number().int() }))
    .describe("the same for each norm and radius, and over how many attacks"),
  meanOfCorruptions: value.describe("mean over kinds of the mean over severities"),
  worstCorruption: worstRun.describe("the worst over the corruptions (SemSegBench's GAM)"),
  meanCorruptionError: z
    .object({
      unnormalized: z.number().describe("1 minus the mean of a share, over all five severities of each kind"),
      normalized: z
        .number()
        .optional()
        .describe("ImageNet-C's mCE, divided by AlexNet's errors kind by kind; 1 is as bad as AlexNet"),
    })
    .optional(),
  audits: z.object({ failed: z.array(z.string()), toLookAt: z.array(z.string()), none: z.array(z.string()) }).describe("runs"),
});
export type Card = z.infer<typeof cardSchema>;

/** The card of each model of a board. */
export const cardsOf = (board: Board, version: string, suite: Suite | undefined, transfers: readonly TransferFrom[]): Card[] =>
  board.standings.map((standing) => cardOf(board, standing, version, suite, transfers));

function cardOf(
  { group, columns }: Board,
  standing: Standing,
  version: string,
  suite: Suite | undefined,
  transfers: readonly TransferFrom[],
): Card {
  const { rows, clean, attacked, corrupted, corruption, worst, audits } = standing;
  const names = runNames(rows);
  const nameOf = (row: Row) => names.get(row)!;
  const plan = (clean?.row ?? rows[0]!).plan;
  const attacks = columns.flatMap(({ key, label }) => {
    const valued = attacked.get(key);
    if (!valued) return [];
    const { row } = valued;
    const { attack, model: _, data: __, samples: ___, sizes: ____, corruption: before, goal: _____, ...parameters } = row.facts;
    const given = before === undefined || before === "none" ? {} : { corruption: before };
    return [{ run: nameOf(row), label, attack: attack!, parameters, ...given, value: valued.value }];
  });
  const sign = group.metric.better === "higher" ? 1 : -1;
  const [worstOfAll] = worst.toSorted((a, b) => sign * (a.value - b.value));
  const hardest = corrupted.find((c) => c.kind === corruption.worst?.kind && c.severity === corruption.worst.severity);
  const moved = transfers.flatMap(({ on, ...transfer }) => (on.sha256 === plan.model.sha256 ? [transfer] : []));
  return {
    format: cardFormat,
    version,
    ...(suite && { suite }),
    model: { name: standing.model, sha256: plan.model.sha256 },
    task: group.task,
    data: {
      name: shortPath(plan.data.path),
      ...(plan.data.sha256 !== undefined && !plan.data.corruption && { sha256: plan.data.sha256 }),
      samples: (clean?.row ?? rows[0]!).summary.samples,
    },
    setting: group.setting,
    metric: { name: group.metric.name, better: group.metric.better, against: group.against },
    clean: clean?.value ?? null,
    attacks,
    corruptions: corrupted.map(({ row, kind, severity, value: v }) => ({ run: nameOf(row), kind, severity, value: v })),
    ...(moved.length > 0 && { transfers: moved }),
    worstAttack: worstOfAll ? { run: nameOf(worstOfAll.row), value: worstOfAll.value } : null,
    worst: worst.map(({ threat, row, value: v, over }) => ({ threat, run: nameOf(row), value: v, over })),
    meanOfCorruptions: corruption.mean,
    worstCorruption: corruption.worst && hardest ? { run: nameOf(hardest.row), value: corruption.worst.value } : null,
    ...(corruption.error !== undefined && {
      meanCorruptionError: {
        unnormalized: corruption.error,
        ...(corruption.normalized !== undefined && { normalized: corruption.normalized }),
      },
    }),
    audits: {
      failed: audits.failed.map(nameOf),
      toLookAt: audits.toLookAt.map(nameOf),
      none: rows.filter((row) => row.audit === "none" && !isUnattacked(row)).map(nameOf),
    },
  };
}

/** Of the runs of one model, by their folders: names that hold wherever the folders lie. */
function runNames(rows: readonly Row[]): Map<Row, string> {
  const names = distinctNames(rows.map((row) => row.path));
  return new Map(rows.map((row, i) => [row, names[i]!]));
}

/** The card for people: card.md. */
export function cardText(card: Card): string {
  const { model, suite, data, metric, meanCorruptionError: error } = card;
  const text = (v: number | null) =>
    v === null ? "–" : metricText(tasks[card.task as keyof typeof tasks], metric.name, v).replaceAll("\u00a0", " ");
  const percent = (v: number) => `${(100 * v).toFixed(1)} %`;
  const best = (worst: Card["worstAttack"]) => (worst ? `${text(worst.value)} (${worst.run})` : "–");
  const rows = [
    ["clean", text(card.clean)],
    ...(card.worst.length > 1 ? card.worst.map((w) => [`worst over attacks, ${w.threat}`, `${text(w.value)} (${w.run})`]) : []),
    ...(card.attacks.length > 0 ? [["worst over attacks", best(card.worstAttack)]] : []),
    ...(card.corruptions.length > 0
      ? [
          ["mean over corruptions", text(card.meanOfCorruptions)],
          ["worst over corruptions", best(card.worstCorruption)],
        ]
      : []),
    ...(error ? [["mean corruption error, not normalized", percent(error.unnormalized)]] : []),
    ...(error?.normalized === undefined ? [] : [["mCE (ImageNet-C)", percent(error.normalized)]]),
  ];
  const table = (what: string, list: readonly { run: string; label: string; value: number | null }[]) =>
    list.length === 0
      ? ""
      : `\n| ${what} | run | ${metric.name} |\n|---|---|---:|\n${list
          .map(({ run, label, value: v }) => `| ${cell(label)} | ${cell(run)} | ${text(v)} |`)
          .join("\n")}\n`;
  return `# ${model.name}

${suite ? `Suite ${suite.name}${suite.source ? ` (${suite.source})` : ""}, on` : "On"} ${data.samples} samples of ${data.name}. Model SHA-256 ${model.sha256}.
${metric.name} against ${metric.against === "truth" ? "the ground truth" : "the model's own clean prediction"}; ${metric.better} is better.

| | ${metric.name} |
|---|---:|
${rows.map(([name, v]) => `| ${cell(name!)} | ${cell(v!)} |`).join("\n")}
${table("attack", card.attacks)}${table(
  "corruption",
  card.corruptions.map((c) => ({ ...c, label: `${c.kind} ${c.severity}` })),
)}${transferText(card, text)}${auditText(card)}`;
}

/** What images of other runs come to. */
function transferText({ transfers = [], metric }: Card, text: (v: number | null) => string): string {
  if (transfers.length === 0) return "";
  const turned = transfers.some((t) => t.turned);
  const rows = transfers.map(({ run, attack, from, clean, adversarial = null, saved, against, turned: won }) => {
    const names = [`${run} (${attack})`, from.model, against];
    const last = won ? [`${(100 * won.share).toFixed(1)} % of ${won.of}`] : turned ? ["–"] : [];
    return `| ${[...names, text(clean), text(adversarial ?? saved), ...last].map(cell).join(" | ")} |`;
  });
  return `
| images of another run | made for | against | ${metric.name} clean | on them |${turned ? " turned, of those right when clean |" : ""}
|---|---|---|---:|---:|${turned ? "---:|" : ""}
${rows.join("\n")}
`;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function auditText({ audits: { failed, toLookAt, none } }: Card): string {
  const lines = [
    ...(failed.length > 0 ? [`The audit fails of ${failed.join(", ")}: these numbers may be too good.`] : []),
    ...(toLookAt.length > 0 ? [`The audit has something to look at in ${toLookAt.join(", ")}.`] : []),
    ...(none.length > 0 ? [`Nobody audited ${none.join(", ")}: nothing says whether these numbers can be believed.`] : []),
  ];
  return lines.length > 0 ? `\n${lines.join("\n")}\n` : "";
}
