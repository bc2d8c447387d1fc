import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { compilePrediction } from "../../methods/attacks/compile-attack.js";
import { readImage, writeImage } from "../../vision/data/node/image-file.js";
import { renderPerturbation } from "../../vision/render/index.js";
import { imageRoles } from "../../vision/spec/model-spec.js";
import { gained } from "../attack/audit/check.js";
import { cropTo, prepare } from "../attack/prepare.js";
import type { AttackContext, AttackRecord } from "../attack/run-attack.js";
import { siteOf } from "../attack/site.js";
import { stack, unstack } from "../attack/tensors.js";
import type { Headline } from "./headline.js";
import { type Legend, type Panel, panels } from "./panels.js";

/** One sample of the report with its pictures. */
export interface Specimen {
  readonly record: AttackRecord;
  /** "worst", "median", ... */
  readonly rank: string;
  readonly figures: readonly (Panel & { readonly file?: string; readonly width: number })[];
  readonly legend: Legend | undefined;
}

/** Worst, median and best samples by the damage done; all of them where there are at most four. */
export function chooseSamples(
  records: readonly AttackRecord[],
  { damage }: Headline,
  goal: "untargeted" | "targeted",
): { record: AttackRecord; rank: string }[] {
  // Where many are hit alike, as with right or wrong classes, the loss decides.
  const moved = (r: AttackRecord) => gained(goal, r.loss!.clean, r.loss!.saved);
  const sorted = records
    .filter((r) => r.scores)
    .sort((a, b) => damage(b) - damage(a) || moved(b) - moved(a) || a.index - b.index);
  const n = sorted.length;
  if (n <= 4) {
    const alike = n === 0 || damage(sorted[0]!) === damage(sorted[n - 1]!);
    const rank = (i: number) => (alike ? "" : i === 0 ? "hit hardest" : i === n - 1 ? "hit least" : "");
    return sorted.map((record, i) => ({ record, rank: rank(i) }));
  }
  const picks = [
    [0, "hit hardest"],
    [1, "second"],
    [Math.floor((n - 1) / 2), "median"],
    [n - 1, "hit least"],
  ] as const;
  return picks.map(([i, rank]) => ({ record: sorted[i]!, rank }));
}

/**
 * Predicts the chosen samples again, clean and as saved, and writes their pictures to `report/` in the run directory. They are made from the
 * data set and the saved images alone, so every report of a run has the same bytes.
 */
export async function drawSpecimens(
  context: AttackContext,
  folder: string,
  chosen: readonly { readonly record: AttackRecord; readonly rank: string }[],
): Promise<Specimen[]> {
  const { engine, plan, dataset } = context;
  rmSync(join(folder, "report"), { recursive: true, force: true });
  mkdirSync(join(folder, "report"), { recursive: true });
  const specimens: Specimen[] = [];
  for (const { record, rank } of chosen) {
    const prepared = await prepare(
      await dataset.sample(record.index),
      record.index,
      imageRoles[plan.spec.task],
      plan.spec,
      plan.fit,
    );
    const roles = Object.keys(prepared.images);
    const [, height, width] = prepared.images[roles[0]!]!.shape as [number, number, number];
    const site = await siteOf(context, { batch: 1, height, width, valid: false });
    const program = await compilePrediction(engine, site);
    const predict = async (images: Readonly<Record<string, Tensor>>) => {
      const feeds = Object.fromEntries(Object.entries(images).map(([role, image]) => [role, stack([image])]));
      return unstack((await program.run(feeds)).prediction!, 0);
    };
    const saved = Object.fromEntries(
      await Promise.all(roles.map(async (role) => [role, await readImage(join(folder, record.files![role]!))] as const)),
    );
    try {
      const crop = <T extends Tensor>(t: T) => cropTo(t, prepared.height, prepared.width) as T;
      const perPixel = plan.spec.task !== "classification";
      const [before, after] = [await predict(prepared.images), await predict(saved)];
      // Of two images the first that was perturbed is shown.
      const role = plan.attack.perturb?.[0] ?? roles[0]!;
      const [clean, adversarial] = [crop(prepared.images[role]!), crop(saved[role]!)];
      const perturbation = renderPerturbation(adversarial, clean);
      const target = context.target?.(before);
      const names = dataset.task === "classification" || dataset.task === "segmentation" ? dataset.classNames : [];
      const drawn = panels({
        plan,
        image: clean,
        before: perPixel ? crop(before) : before,
        after: perPixel ? crop(after) : after,
        truth: prepared.target && (perPixel ? crop(prepared.target) : prepared.target),
        valid: prepared.valid && crop(prepared.valid),
        target: target && (perPixel ? crop(target) : target),
        className: (label) => plan.spec.classes?.[label] ?? names[label - plan.spec.labelOffset] ?? `class ${label}`,
      });
      const of = roles.length > 1 ? ` (${role})` : "";
      const figures: readonly Panel[] = [
        { name: "clean", title: `Clean image${of}`, image: clean },
        { name: "adversarial", title: `Adversarial image${of}`, note: "as saved, 8-bit", image: adversarial },
        {
          name: "perturbation",
          title: "Perturbation",
          note: `amplified ${perturbation.gain} times around grey`,
          image: perturbation.image,
        },
        ...drawn.panels,
      ];
      const stem = String(record.index).padStart(6, "0");
      specimens.push({
        record,
        rank,
        legend: drawn.legend,
        figures: await Promise.all(
          figures.map(async (panel) => {
            if (!panel.image) return { ...panel, width: prepared.width };
            const file = `report/${stem}.${panel.name}.png`;
            await writeImage(join(folder, file), panel.image);
            return { ...panel, file, width: panel.image.shape[2]! };
          }),
        ),
      });
    } finally {
      program.dispose();
    }
  }
  return specimens;
}
