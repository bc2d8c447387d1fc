import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeModel } from "../../engine/onnx/write.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import { networkModel } from "../../vision/nn/model.js";
import { networkSpec } from "../networks/network-spec.js";
import { RunDirectory, readRecords } from "../runs/run-directory.js";
import { inputShapes } from "../train/build.js";
import type { TrainResult } from "../train/export.js";
import { runCourse, type TrainHooks, type TrainPlan, type TrainRecord } from "../train/run-train.js";
import { buildPipeline, type Kind, type Pipeline } from "./build.js";
import type { SensorConfig } from "./config.js";

/** run.json of a sensor run. */
export type SensorPlan = TrainPlan<SensorConfig>;

/** One of the two trainings of a run, finished. */
export interface Trained {
  readonly kind: Kind;
  readonly pipeline: Pipeline;
  readonly result: TrainResult;
  readonly records: readonly TrainRecord[];
}

/** In the order in which they are trained. */
export const kinds: readonly Kind[] = ["learned", "uniform"];

/**
 * Learns a sensor's layout together with the network behind it, and trains the same network behind the uniform sensor with as many pixels. Each
 * training has a directory in the run's, is resumed as any training is, and leaves its whole pipeline, image to prediction, as one ONNX file.
 * In the end the report is written.
 *
 * @returns what was trained, or "stopped" where the signal said so: both go on when called again.
 */
export async function runSensor(
  engine: Engine,
  plan: SensorPlan,
  path: string,
  { onProgress, onNote, signal }: TrainHooks,
): Promise<readonly Trained[] | "stopped"> {
  const trained: Trained[] = [];
  for (const [i, kind] of kinds.entries()) {
    const pipeline = await buildPipeline(engine, plan.config, kind, i === 0 ? onNote : undefined);
    const run = RunDirectory.open<TrainRecord>(join(path, kind), { ...plan, layout: kind }, { folders: [] });
    try {
      const end = await runCourse(
        engine,
        pipeline.settings,
        run,
        {
          training: pipeline.training,
          observe: async (trainer) => {
            const raw = await trainer.parameter("sensor.raw");
            return { theta: pipeline.eye.thetaOf(raw.data as Float32Array) };
          },
          finish: (result) => exportPipeline(plan, pipeline, result, run),
        },
        { signal, onProgress: (step, note) => onProgress?.(i * plan.config.steps + step, `${kind}: ${note}`) },
      );
      run.close();
      if (end === "stopped") return end;
      trained.push({ kind, pipeline, result: end, records: [...run.records] });
    } catch (error) {
      run.abandon();
      throw error;
    }
  }
  const { writeSensorReport } = await import("./report.js");
  await writeSensorReport(engine, plan, trained, (name, content) => writeFileSync(join(path, name), content));
  return trained;
}

/** Steps that are done of a run's two trainings, by their records. */
export function stepsDone(path: string): number {
  const files = kinds.map((kind) => join(path, kind, "records.jsonl")).filter(existsSync);
  return files.reduce((sum, file) => sum + (readRecords(file, "ignore").at(-1)?.index ?? 0), 0);
}

function exportPipeline(
  { config }: SensorPlan,
  { training, eye }: Pipeline,
  result: TrainResult,
  run: RunDirectory<TrainRecord>,
): void {
  const { named, size } = training;
  const json = (name: string, value: unknown) => run.write(name, `${JSON.stringify(value, undefined, 2)}\n`);
  run.write("pipeline.onnx", writeModel(networkModel(named.network, result.weights, inputShapes(named, 1, size))));
  run.write("pipeline.safetensors", writeSafetensors(result.weights));
  json("pipeline.spec.json", networkSpec(config.task, size, named.imageChannels));
  json("summary.json", {
    steps: result.steps,
    theta: eye.thetaOf(result.weights.get("sensor.raw")!.data as Float32Array),
    evaluation: result.evaluated?.evaluation,
  });
}
