import { extname } from "node:path";
import type { Engine } from "../../engine/runtime/engine.js";
import { type FreshCopy, freshCopies } from "../../methods/criticality/fresh-copies.js";
import { probeOf } from "../../methods/criticality/probe.js";
import {
  interpolated,
  keepingStatistics,
  onShareOfChannels,
  type ResetSource,
  schemeSource,
} from "../../methods/criticality/resets.js";
import type { Mismatch } from "../../vision/framed-predictor.js";
import { loadCheckpoint } from "../../vision/nn/checkpoints/files.js";
import type { PredictorSize } from "../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { sentenceOf, UsageError } from "../cli/errors.js";
import { readPredicting } from "../read-predicting.js";
import type { CriticalityPlan } from "./plan.js";

/** The plan's resets: from a scheme or files, wholly or in part. */
export async function resetSource(
  plan: CriticalityPlan,
  spec: ModelSpec,
  size: PredictorSize,
  engine: Engine,
): Promise<ResetSource> {
  const { source, statistics, share, towards } = plan.reset;
  const mismatch = plan.data.kind === "dataset" ? plan.data.mismatch : undefined;
  let reset: ResetSource;
  if (source.kind === "scheme") reset = schemeSource(source.scheme, plan.seed);
  else reset = freshCopies(await Promise.all(source.copies.map(({ path }) => readCopy(path, spec, size, engine, mismatch))));
  if (statistics === "kept") reset = keepingStatistics(reset);
  if (share !== 1) reset = onShareOfChannels(reset, share, plan.seed);
  if (towards !== 1) reset = interpolated(reset, towards);
  return reset;
}

/** The layers of another export of the model, or a state dict. */
async function readCopy(
  path: string,
  spec: ModelSpec,
  size: PredictorSize,
  engine: Engine,
  mismatch: Mismatch | undefined,
): Promise<FreshCopy> {
  if (extname(path).toLowerCase() !== ".onnx") return { name: path, state: await loadCheckpoint(path) };
  try {
    const { layers } = await probeOf(await readPredicting(path, spec), spec, size, engine.evaluate, mismatch);
    return { name: path, layers };
  } catch (error) {
    throw new UsageError(`${path} (--fresh) does not fit the model: ${sentenceOf(error)}`);
  }
}
