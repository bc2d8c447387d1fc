import { join } from "node:path";
import { stack, unstack } from "../../engine/tensor/arrays.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { compilePrediction } from "../../methods/attacks/ascent/compile-ascent.js";
import { readImage } from "../../vision/data/node/image-file.js";
import type { Legend, Panel } from "../../vision/render/drawing.js";
import { renderPerturbation } from "../../vision/render/index.js";
import { tasks } from "../../vision/tasks/index.js";
import { attackedModel } from "../attack/attacked-model.js";
import { gained } from "../attack/audit/check.js";
import { type AttackContext, type AttackRecord, preparedSample } from "../attack/run-attack.js";
import type { Headline } from "./headline.js";
import type { Pictures } from "./pictures.js";

/** One sample of the report with its pictures. */
export interface Specimen {
  readonly record: AttackRecord;
  /** "worst", "median", ... */
  readonly rank: string;
  readonly figures: readonly Figure[];
  readonly legend: Legend | undefined;
}

/** A panel with its picture's source in the page, and the picture's own width. */
export interface Figure extends Omit<Panel, "image"> {
  readonly source?: string;
  readonly width: number;
}

/** Samples are shown with all their pictures up to this number; of more, a choice is, and the others small. */
const mostWhole = 8;
/** Others are shown small up to this number, and counted beyond it. */
const mostSmall = 60;

export interface Choice {
  readonly whole: readonly { readonly record: AttackRecord; readonly rank: string }[];
  /** Shown by their saved images alone, by the damage done. */
  readonly small: readonly AttackRecord[];
  /** In no picture at all. */
  readonly unseen: number;
}

/** The finished samples by the damage done, worst first; the extremes and the median of many are shown whole. */
export function chooseSamples(records: readonly AttackRecord[], { damage }: Headline, goal: "untargeted" | "targeted"): Choice {
  // Where many are hit alike, as with right or wrong classes, the loss decides.
  const moved = (r: AttackRecord) => gained(goal, r.loss!.clean, r.loss!.adversarial);
  const sorted = records
    .filter((r) => r.scores)
    .sort((a, b) => damage(b) - damage(a) || moved(b) - moved(a) || a.index - b.index);
  const n = sorted.length;
  const alike = n === 0 || damage(sorted[0]!) === damage(sorted[n - 1]!);
  const ranks = new Map<number, string>([
    [0, "hit hardest"],
    [n - 1, "hit least"],
  ]);
  if (n <= mostWhole)
    return { whole: sorted.map((record, i) => ({ record, rank: alike ? "" : (ranks.get(i) ?? "") })), small: [], unseen: 0 };
  ranks
    .set(1, "second")
    .set(2, "third")
    .set(Math.floor((n - 1) / 2), "median");
  const others = sorted.filter((_, i) => !ranks.has(i));
  return {
    whole: [...ranks].sort(([a], [b]) => a - b).map(([i, rank]) => ({ record: sorted[i]!, rank })),
    small: others.slice(0, mostSmall),
    unseen: Math.max(0, others.length - mostSmall),
  };
}

/**
 * Predicts the chosen samples again, clean and as saved, and draws them. The pictures are made from the data set and the saved images alone, so
 * every report of a run has the same.
 */
export async function drawSpecimens(
  context: AttackContext,
  folder: string,
  chosen: Choice["whole"],
  pictures: Pictures,
): Promise<Specimen[]> {
  const { engine, plan, dataset } = context;
  const specimens: Specimen[] = [];
  let compiled: { readonly size: string; readonly program: Awaited<ReturnType<typeof compilePrediction>> } | undefined;
  const programFor = async (height: number, width: number) => {
    const size = `${height}x${width}`;
    if (compiled?.size !== size) {
      compiled?.program.dispose();
      compiled = undefined;
      const attacked = await attackedModel(context, { batch: 1, height, width, valid: false });
      compiled = { size, program: await compilePrediction(engine, attacked) };
    }
    return compiled.program;
  };
  try {
    for (const { record, rank } of chosen) {
      const prepared = await preparedSample(context, record.index);
      const roles = Object.keys(prepared.images);
      const [, height, width] = prepared.images[roles[0]!]!.shape as [number, number, number];
      const program = await programFor(height, width);
      const predict = async (images: Readonly<Record<string, Tensor>>) => {
        const feeds = Object.fromEntries(Object.entries(images).map(([role, image]) => [role, stack([image])]));
        return unstack((await program.run(feeds)).prediction!, 0);
      };
      const saved = Object.fromEntries(
        await Promise.all(roles.map(async (role) => [role, await readImage(join(folder, record.files![role]!))] as const)),
      );
      const [before, after] = [await predict(prepared.images), await predict(saved)];
      const target = context.target?.(before, plan.spec.output);
      const names = dataset.classNames ?? [];
      const drawn = tasks[plan.spec.task].draw({
        image: prepared.images[roles[0]!]!,
        before,
        after,
        truth: prepared.target,
        valid: prepared.valid,
        target,
        output: plan.spec.output,
        className: (label) => plan.spec.classes?.[label] ?? names[label - plan.spec.labelOffset] ?? `class ${label}`,
      });
      const perturbed = roles.filter((role) => !plan.threat.perturb || plan.threat.perturb.includes(role));
      const figures: readonly Panel[] = [
        ...perturbed.flatMap((role) =>
          perturbationPanels(prepared.images[role]!, saved[role]!, roles.length > 1 ? role : undefined),
        ),
        ...drawn.panels,
      ];
      const stem = String(record.index).padStart(6, "0");
      specimens.push({
        record,
        rank,
        legend: drawn.legend,
        figures: await Promise.all(
          figures.map(async ({ image, ...panel }): Promise<Figure> => {
            if (!image) return { ...panel, width: prepared.width };
            return { ...panel, source: await pictures.add(`${stem}.${panel.name}`, image), width: image.shape[2]! };
          }),
        ),
      });
    }
  } finally {
    compiled?.program.dispose();
  }
  return specimens;
}

/** One image before and after, and what was added to it. @param role where there are two. */
function perturbationPanels(clean: Tensor<"float32">, adversarial: Tensor<"float32">, role: string | undefined): Panel[] {
  const { gain, image } = renderPerturbation(adversarial, clean);
  const [of, stem] = role ? [` (${role})`, `${role}.`] : ["", ""];
  return [
    { name: `${stem}clean`, title: `Clean image${of}`, image: clean },
    { name: `${stem}adversarial`, title: `Adversarial image${of}`, note: "as saved, 8-bit", image: adversarial },
    { name: `${stem}perturbation`, title: `Perturbation${of}`, note: `amplified ${gain} times around gray`, image },
  ];
}
