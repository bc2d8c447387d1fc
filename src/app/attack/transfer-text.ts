import { surroundText } from "../../vision/framed-predictor.js";
import { formatOf } from "../../vision/metrics/measure.js";
import { tasks } from "../../vision/tasks/index.js";
import { columns } from "../cli/table.js";
import type { AttackPlan } from "./plan.js";
import { stages } from "./summary.js";
import type { TransferSummary } from "./transfer.js";

/** The run's images on other models, for a terminal: a row for each model. */
export function transferText(plan: AttackPlan, transfers: readonly TransferSummary[]): string {
  if (transfers.length === 0) return "";
  const rows = transfers.map((t) => [t.model, ...transferCells(plan, t)]);
  const notes = transfers.flatMap((t) => transferNote(plan, t) ?? []);
  return `\n${[columns(["on other models", ...transferHead(plan)], rows), ...notes].join("\n")}\n`;
}

/** The metric that tells: the wish's own where it has one, else the headline. */
function judgedBy({ spec, goal }: Pick<AttackPlan, "spec" | "goal">): string {
  const task = tasks[spec.task];
  const own = goal.kind === "targeted" ? task.wish.judgedBy?.(goal.target)?.name : undefined;
  return own ?? task.measure({ classes: 1, ignore: [], output: spec.output }).headline.name;
}

/** What stands over a model's row. */
export function transferHead({ spec, goal }: AttackPlan): readonly string[] {
  const task = tasks[spec.task];
  const headline = judgedBy({ spec, goal });
  const whom =
    goal.kind === "targeted" ? "turned to the target, of those that were not" : "turned wrong, of those right when clean";
  const names = [`${headline} clean`, "adversarial", "saved as 8-bit"];
  return task.kind === "classes" && task.extent === "image" ? [...names, whom] : names;
}

/** A model's row. */
export function transferCells({ spec, goal, reference }: AttackPlan, { metrics, success }: TransferSummary): readonly string[] {
  const task = tasks[spec.task];
  const name = judgedBy({ spec, goal });
  const against = goal.kind === "targeted" ? "target" : reference === "truth" && metrics.truth ? "truth" : "prediction";
  const { nothing } = formatOf(task.formats, name);
  const number = (v: number | null | undefined) => (v === undefined ? "not kept" : v === null ? nothing : v.toFixed(4));
  const cells = stages.map((stage) => number(metrics[against]?.[stage]?.[name]));
  if (!success) return cells;
  const share = success.adversarial ?? success.saved;
  return [...cells, success.of === 0 ? "there were none" : `${(100 * share).toFixed(1)} % of ${success.of}`];
}

/** What became of pictures whose size a model does not take. */
export function transferNote({ spec }: AttackPlan, { model, framing }: TransferSummary): string | undefined {
  if (!framing) return undefined;
  const { scaled, padded } = framing;
  const ways = [
    ...(scaled > 0 ? [`${scaled} scaled`] : []),
    ...(padded > 0 ? [`${padded} ${surroundText(tasks[spec.task])}`] : []),
  ];
  return `for ${model}, which takes other sizes, pictures are fitted within its predictor: ${ways.join(", ")}`;
}
