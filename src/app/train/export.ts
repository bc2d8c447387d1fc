import { writeModel } from "../../engine/onnx/write.js";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import type { TrainingState } from "../../methods/training/trainer.js";
import { networkModel } from "../../vision/nn/model.js";
import type { RunDirectory } from "../runs/run-directory.js";
import { inputShapes, type Training } from "./build.js";
import { modelCard } from "./card.js";
import { lossFigure } from "./loss-figure.js";
import type { TrainPlan, TrainRecord } from "./run-train.js";

/**
 * Writes the finished network: model.onnx (one image of the training size; any other size with `faultline convert`), model.spec.json,
 * model.safetensors, card.md, loss.svg and summary.json. Where a moving average was kept, that is the network.
 */
export async function exportNetwork(
  plan: TrainPlan,
  training: Training,
  { network, average }: TrainingState,
  run: RunDirectory<TrainRecord>,
): Promise<void> {
  const { config } = plan;
  const weights = average ?? network;
  const inputs = inputShapes(training.named, 1, training.size);
  run.write("model.onnx", writeModel(networkModel(training.named.network, weights, inputs)));
  run.write("model.safetensors", writeSafetensors(weights));
  const [height, width] = training.size;
  const spec = {
    task: config.task,
    size: { rule: "fixed", height, width },
    ...(training.named.imageChannels === 1 && { channels: "gray" }),
  };
  run.write("model.spec.json", `${JSON.stringify(spec, undefined, 2)}\n`);
  const summary = {
    steps: config.steps,
    loss: run.records.findLast((r) => r.loss !== undefined)?.loss,
    evaluation: run.records.findLast((r) => r.evaluation)?.evaluation,
  };
  run.write("summary.json", `${JSON.stringify(summary, undefined, 2)}\n`);
  run.write("loss.svg", lossFigure(run.records));
  run.write("card.md", modelCard(plan, training, weights, run.records));
}
