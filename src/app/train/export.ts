import { writeModel } from "../../engine/onnx/write.js";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import type { StateDict } from "../../vision/nn/checkpoints/state-dict.js";
import { networkModel } from "../../vision/nn/model.js";
import type { NamedNetwork } from "../../vision/nn/networks/index.js";
import { networkSpec } from "../networks/network-spec.js";
import type { RunDirectory } from "../runs/run-directory.js";
import type { BestRule } from "./best.js";
import { inputShapes, type Training } from "./build.js";
import { modelCard } from "./card.js";
import type { TrainPlan, TrainRecord } from "./run-train.js";

/** What came of a run. */
export interface TrainResult {
  readonly weights: StateDict;
  /** Steps done: fewer than were planned where training stopped early. */
  readonly steps: number;
  /** The evaluation of these weights. */
  readonly evaluated?: TrainRecord;
  /** The same metrics of the degraded pictures as they are, in restoration. */
  readonly untouched?: Readonly<Record<string, number>>;
  /** How they were chosen, where not by being the last. */
  readonly rule?: BestRule;
}

/**
 * Writes the finished network: model.onnx (one image of the training size; any other size with `faultline convert`), model.spec.json,
 * model.safetensors, network.json, card.md and summary.json.
 */
export function exportNetwork(
  plan: TrainPlan,
  training: Training<NamedNetwork>,
  result: TrainResult,
  run: RunDirectory<TrainRecord>,
): void {
  const { config } = plan;
  const { weights } = result;
  const { named, size } = training;
  const json = (name: string, value: unknown) => run.write(name, `${JSON.stringify(value, undefined, 2)}\n`);
  run.write("model.onnx", writeModel(networkModel(named.network, weights, inputShapes(named, 1, size))));
  run.write("model.safetensors", writeSafetensors(weights));
  json("network.json", named.configuration);
  json("model.spec.json", networkSpec(config.task, size, named.imageChannels));
  json("summary.json", trainSummary(result, run.records));
  run.write("card.md", modelCard(plan, training, result));
}

/** What summary.json says of a finished run, of a network or of a model of one's own. */
export const trainSummary = (
  { steps, evaluated, untouched, rule }: Omit<TrainResult, "weights">,
  records: readonly TrainRecord[],
): object => ({
  steps,
  loss: records.findLast((r) => r.index <= steps && r.loss !== undefined)?.loss,
  ...(rule && evaluated && { best: { metric: rule.metric, step: evaluated.index } }),
  evaluation: evaluated?.evaluation,
  untouched,
});
