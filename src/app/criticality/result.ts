import { type FoldedNormalization, foldedAdvice } from "../../methods/criticality/folded.js";
import type { MeasureName, MeasureSums, PredictionKind } from "../../methods/criticality/measures.js";
import {
  type Gathered,
  type LayerProfile,
  layerProfile,
  type Profile,
  profileOf,
  trialMeasures,
} from "../../methods/criticality/profile.js";
import { type TaskName, tasks } from "../../vision/tasks/index.js";
import type { CriticalityPlan } from "./plan.js";
import { type CriticalityContext, type CriticalityRecord, chunksOf } from "./run-criticality.js";
import { continuousScale, type Scale, scaleNotes, scaleOf } from "./scale.js";
import { unitIndex } from "./units.js";

/** criticality.json */
export interface CriticalityResult extends Profile {
  readonly model: string;
  readonly task: TaskName;
  /** What the numbers mean: the published measure, or our extension to continuous predictions. */
  readonly measure: string;
  readonly reset: string;
  readonly trials: number;
  readonly images: number;
  /** Of the intact network on these images; absent without labels. */
  readonly intactAccuracy?: number;
  readonly scale: Scale;
  /** What a reader must know before comparing numbers. */
  readonly notes: readonly string[];
}

const measureNames = {
  images: "1 - mean over trials and images of cos(softmax z0, softmax z) (Gavrikov et al. 2024)",
  pixels:
    "1 - mean over trials and valid pixels of cos(softmax z0, softmax z): the measure of Gavrikov et al. 2024, here per pixel",
  continuous:
    "mean normalized change of the prediction, |y - y0|² / (|y - y0|² + |y0 - mean|²): an extension of this project, not comparable with published criticality",
};

/** What of model and images the result needs besides plan and records: layers.json of a run, so that shards can be joined without the model. */
export interface RunFacts {
  readonly kind: PredictionKind;
  readonly folded: FoldedNormalization | null;
  /** Whether some layer is applied more than once. */
  readonly repeated: boolean;
  readonly labeled: boolean;
  /** Whether images lost their shape on the way to the model's size. */
  readonly stretched: boolean;
  /** How many parts the images were worked on in. */
  readonly chunks: number;
  readonly targets: readonly Pick<LayerProfile, "name" | "kind" | "stage" | "layers">[];
}

export function factsOf(context: CriticalityContext): RunFacts {
  const { kind, folded, layers } = context.probe;
  return {
    kind,
    folded: folded ?? null,
    repeated: layers.some((l) => l.applications > 1),
    labeled: context.source.labeled,
    stretched: context.source.stretched,
    chunks: chunksOf(context).length,
    targets: context.targets.map(({ members, ...target }) => ({ ...target, layers: members.map((l) => l.name) })),
  };
}

/** Puts the records of a finished run together. */
export function resultOf(
  plan: CriticalityPlan,
  { kind, folded, repeated, labeled, stretched, targets }: RunFacts,
  records: readonly CriticalityRecord[],
): CriticalityResult {
  const gathered = gather(records);
  const intact = gathered.get(undefined)!;
  const accuracy = labeled ? intact.sums.correct! / intact.count : undefined;
  const trials = Array.from({ length: plan.trials }, (_, trial) => trial);
  const profiles = targets.map((target, t) =>
    layerProfile(
      target,
      trials.map((trial) => trialMeasures(trial, gathered.get(unitIndex(t, trial, plan.trials))!, accuracy)),
    ),
  );
  const task = tasks[plan.spec.task];
  const directions = directionsIn(records);
  const scale = directions ? scaleOf(directions, intact.count, task) : continuousScale;
  const notes = [
    ...(folded ? [`${folded.because}. ${foldedAdvice}`] : []),
    ...(accuracy !== undefined && task.extent === "image" && accuracy < 0.6
      ? [
          `The intact network gets only ${(100 * accuracy).toFixed(1)} % of these images right: the profile is that of an unsure network; are they what it was made for, and is --range right?`,
        ]
      : []),
    ...(stretched
      ? ["Images were stretched to the model's size; --shorter and --crop keep their shape, as most classifiers are used to."]
      : []),
    ...scaleNotes(scale),
    ...(plan.trials === 1 && plan.reset.source.kind === "scheme" && plan.reset.source.scheme !== "zeros"
      ? ["One trial: how much the numbers depend on the draw is unknown; the published study used three."]
      : []),
    ...(task.kind === "classes"
      ? []
      : [
          "Predictions are continuous: criticality here is this project's normalized change, |y - y0|² / (|y - y0|² + |y0 - mean|²), and not comparable with published criticality.",
        ]),
    ...(repeated ? ["Some layers are applied more than once; a reset concerns all their applications."] : []),
  ];
  return {
    model: plan.model.path,
    task: plan.spec.task,
    measure: measureNames[kind === "continuous" ? kind : task.extent === "pixels" ? "pixels" : "images"],
    reset: resetText(plan),
    trials: plan.trials,
    images: plan.data.kind === "dataset" && plan.data.limit ? Math.min(plan.data.limit, plan.data.length) : plan.data.length,
    ...(accuracy !== undefined && { intactAccuracy: accuracy }),
    scale,
    ...profileOf(profiles),
    notes,
  };
}

/** Over all chunks, in their order; absent for continuous predictions. */
function directionsIn(records: readonly CriticalityRecord[]): number[] | undefined {
  const sums = records.toSorted((a, b) => a.index - b.index).flatMap((r) => (r.directions ? [r.directions] : []));
  return sums[0]?.map((_, k) => sums.reduce((sum, s) => sum + s[k]!, 0));
}

/** Sums over chunks, in their order, by unit. */
function gather(records: readonly CriticalityRecord[]): Map<number | undefined, Gathered> {
  const gathered = new Map<number | undefined, Gathered>();
  for (const { unit, sums, count } of records.toSorted((a, b) => a.index - b.index)) {
    const before = gathered.get(unit);
    const total: Partial<Record<MeasureName, number>> = { ...(before?.sums ?? {}) };
    for (const [name, value] of Object.entries(sums) as [MeasureName, number][]) total[name] = (total[name] ?? 0) + value;
    gathered.set(unit, { sums: total as MeasureSums, count: (before?.count ?? 0) + count });
  }
  return gathered;
}

function resetText({ reset, trials }: CriticalityPlan): string {
  const source =
    reset.source.kind === "scheme"
      ? `scheme "${reset.source.scheme}"`
      : `${reset.source.copies.length} freshly initialized ${trials === 1 ? "copy" : "copies"} from files`;
  const parts = [
    source,
    reset.statistics === "kept" ? "running statistics kept" : "",
    reset.share < 1 ? `${(100 * reset.share).toFixed(0)} % of the channels` : "",
    reset.towards < 1 ? `${(100 * reset.towards).toFixed(0)} % of the way from the trained values` : "",
  ];
  return parts.filter(Boolean).join(", ");
}
