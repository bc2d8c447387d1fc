import { join } from "node:path";
import type { AttackDefinition } from "../../methods/attacks/definition.js";
import { readImage } from "../../vision/data/node/image-file.js";
import { classColor as classColorOf, colorOfClass, flowWheel, hex } from "../../vision/render/index.js";
import { withoutAssumed } from "../../vision/spec/assumptions.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Check } from "../attack/audit.js";
import type { AttackContext, AttackRecord } from "../attack/run-attack.js";
import { summarize } from "../attack/summary.js";
import type { TransferSummary } from "../attack/transfer.js";
import type { RunDirectory } from "../runs/run-directory.js";
import { headline } from "./headline.js";
import { page } from "./page.js";
import { type Assets, type Pictures, picturesFor } from "./pictures.js";
import { chooseSamples, drawSpecimens, type Figure } from "./specimens.js";
import { quoted, reproduce } from "./words.js";

/** A script that makes the run again beside itself, from the folder in which the run was started; the same wherever the run lies. */
const again = (plan: AttackContext["plan"]): string => `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
${[
  reproduce(plan, '"$here/spec.json"', '"$here-again"'),
  ...(plan.transfer ?? []).map(
    ({ path }, i) => `faultline transfer "$here-again" ${quoted(path)} --spec "$here/transfer-${i + 1}.spec.json"`,
  ),
].join(" &&\n")}
`;

/** Width of the pictures of a gallery, in pixels: twice what it shows. */
const galleryWidth = 280;

/**
 * Writes report.html, spec.json and again.sh into a finished run's directory. The page is one file that works wherever it goes, without a network and
 * without scripts; with `assets: "folder"` its pictures lie beside it in `report/`, in full size.
 *
 * @param given the audit's checks, absent where there was none, and what the images do on other models.
 */
export async function writeReport(
  context: AttackContext,
  run: RunDirectory<AttackRecord>,
  { checks, transfers }: { readonly checks: readonly Check[] | undefined; readonly transfers: readonly TransferSummary[] },
  assets: Assets = "inline",
): Promise<void> {
  const { plan, dataset } = context;
  const records = [...run.records].sort((a, b) => a.index - b.index);
  const summary = summarize(plan, records);
  const number = headline(plan, summary, records);
  const chosen = chooseSamples(records, number, plan.goal.kind);
  const pictures = picturesFor(run.path, assets);
  const specimens = await drawSpecimens(context, run.path, chosen.whole, pictures);
  const small = [];
  for (const record of chosen.small) {
    const [role] = plan.threat.perturb ?? Object.keys(record.files!);
    const image = await readImage(join(run.path, record.files![role!]!));
    small.push({ record, source: await pictures.add(`${String(record.index).padStart(6, "0")}.saved`, image, galleryWidth) });
  }
  const learned = await learnedFigures(context, pictures);
  const { kind, extent } = tasks[plan.spec.task];
  const classes = Math.max(0, ...records.map((r) => r.classes ?? 0));
  const names = dataset.classNames ?? [];
  run.write("spec.json", `${JSON.stringify(withoutAssumed(plan.spec, plan.assumed ?? []), undefined, 2)}\n`);
  for (const [i, { spec }] of (plan.transfer ?? []).entries())
    run.write(`transfer-${i + 1}.spec.json`, `${JSON.stringify(spec, undefined, 2)}\n`);
  run.write("again.sh", again(plan));
  run.write(
    "report.html",
    page({
      plan,
      summary,
      number,
      records,
      checks,
      transfers,
      specimens,
      learned,
      others: { small, unseen: chosen.unseen },
      wheel: specimens.some((s) => s.legend?.kind === "wheel") ? await pictures.add("wheel", flowWheel(108)) : undefined,
      className: (label) => plan.spec.classes?.[label] ?? names[label - plan.spec.labelOffset] ?? `class ${label}`,
      classColor: (label) => {
        if (kind === "boxes") return hex(classColorOf(label));
        const color = kind === "classes" && extent === "pixels" ? colorOfClass(label, classes) : undefined;
        return color && hex(color);
      },
    }),
  );
}

/** What the attack has learned, as pictures; none where it learns nothing. */
async function learnedFigures({ plan, fitted }: AttackContext, pictures: Pictures): Promise<readonly Figure[]> {
  const { fit } = plan.attack.definition as AttackDefinition<never>;
  if (!fit || !fitted) return [];
  const shown = Object.entries(await fit.show(plan.attack.parameters as never, fitted));
  const title = `${fit.what[0]!.toUpperCase()}${fit.what.slice(1)}`;
  return Promise.all(
    shown.map(async ([name, { picture, note }]) => ({
      name,
      title: shown.length > 1 ? `${title} (${name})` : title,
      note,
      source: await pictures.add(`learned.${name}`, picture),
      width: picture.shape[2]!,
    })),
  );
}
