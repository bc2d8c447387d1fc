import type { Engine } from "../../engine/runtime/engine.js";
import { tensor } from "../../engine/tensor/tensor.js";
import type { Layer } from "../../methods/criticality/layer.js";
import { measureResets, type ProbeBatch } from "../../methods/criticality/measure-resets.js";
import type { MeasureSums } from "../../methods/criticality/measures.js";
import type { Probe } from "../../methods/criticality/probe.js";
import type { LayerReset } from "../../methods/criticality/resets.js";
import { bytesPerBatch } from "../../methods/criticality/segments.js";
import { labelProblem } from "../attack/labels.js";
import { UsageError } from "../cli/errors.js";
import { batchesOf, type ImageSource } from "./images.js";
import type { CriticalityPlan } from "./plan.js";
import { type NumberedUnit, type Target, unitsOf } from "./units.js";

/** What was measured of one reset on one chunk of the images (or, without `unit`, of the intact network). */
export interface CriticalityRecord {
  /** chunk · (units + 1) + 1 + unit; the intact network is the first of a chunk. */
  readonly index: number;
  readonly sample: string;
  readonly chunk: number;
  readonly unit?: number;
  readonly sums: MeasureSums;
  readonly count: number;
  /** Of the intact network, for predictions over classes: `directionSums`. */
  readonly directions?: readonly number[];
}

/** Where records are kept: a run directory, or memory. */
export interface RecordStore {
  readonly records: CriticalityRecord[];
  append(records: readonly CriticalityRecord[]): void;
}

export interface CriticalityContext {
  readonly engine: Engine;
  readonly plan: CriticalityPlan;
  readonly probe: Probe;
  readonly targets: readonly Target[];
  readonly source: ImageSource;
  readonly reset: (layer: Layer, trial: number) => LayerReset;
}

export interface CriticalityHooks {
  readonly signal: AbortSignal;
  readonly onRecord: (record: CriticalityRecord) => void;
}

/** Images that are worked on at once, a whole number of batches: as many as let their activations stay within the plan's memory. */
function chunkSize({ plan, probe, source }: CriticalityContext): number {
  const fitting = Math.max(1, Math.floor(plan.memory / bytesPerBatch(probe.graph, probe.layers)));
  return plan.batch * Math.min(fitting, Math.ceil(source.length / plan.batch));
}

/** The parts of the images that are worked on one after another. */
export function chunksOf(context: CriticalityContext): { readonly from: number; readonly to: number }[] {
  const { source } = context;
  const size = chunkSize(context);
  return Array.from({ length: Math.ceil(source.length / size) }, (_, i) => ({
    from: i * size,
    to: Math.min((i + 1) * size, source.length),
  }));
}

/** Numbers of all records that the run (or its shard) will have. */
export function plannedRecords(plan: CriticalityPlan, chunks: number, targets: number): number[] {
  const all = Array.from({ length: chunks * (targets * plan.trials + 1) }, (_, i) => i);
  const { shard } = plan;
  return shard ? all.filter((i) => i % shard.count === shard.index - 1) : all;
}

/** @throws UsageError for a label that counts but is none of the model's classes: the accuracy would mean nothing. */
function checkLabels(batches: readonly ProbeBatch[], { graph }: Probe, { spec, data }: CriticalityPlan): void {
  const classes = [...graph.outputs.values()][0]!.shape[1]!;
  for (const { labels, weight } of batches) {
    if (!labels) return;
    const counted = Array.from(labels.data).filter((_, i) => weight.data[i]! > 0);
    const problem = labelProblem(tensor("int64", [counted.length], counted), classes, { ...spec, ignore: [-1] }, data.path);
    if (problem) throw new UsageError(problem);
  }
}

/** Does what is left of a run; stops between resets when the signal says so. */
export async function runCriticality(
  context: CriticalityContext,
  store: RecordStore,
  { signal, onRecord }: CriticalityHooks,
): Promise<void> {
  const { engine, plan, probe, targets, source, reset } = context;
  const chunks = chunksOf(context);
  const units = unitsOf(targets, plan.trials);
  const runs = plan.trials * (chunkSize(context) / plan.batch);
  const done = new Set(store.records.map((r) => r.index));
  const planned = new Set(plannedRecords(plan, chunks.length, targets.length).filter((i) => !done.has(i)));
  for (const [chunk, { from, to }] of chunks.entries()) {
    const first = chunk * (units.length + 1);
    const indexOf = (unit: NumberedUnit | undefined) => (unit ? first + 1 + unit.index : first);
    const pending = units.filter((unit) => planned.has(indexOf(unit)));
    if (pending.length === 0 && !planned.has(first)) continue;
    if (signal.aborted) return;
    const batches = await batchesOf(source, from, to, plan.batch, probe.kind === "classes");
    if (source.labeled) checkLabels(batches, probe, plan);
    for await (const { unit, ...measured } of measureResets({ engine, runs, ...probe }, batches, pending, reset)) {
      const index = indexOf(unit);
      if (planned.has(index)) {
        const sample = unit ? `${targets[unit.target]!.name}, trial ${unit.trial}` : "intact network";
        const record = { index, sample, chunk, ...(unit && { unit: unit.index }), ...measured };
        store.append([record]);
        onRecord(record);
      }
      if (signal.aborted) return;
    }
  }
}
