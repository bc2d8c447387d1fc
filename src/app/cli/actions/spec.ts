import { existsSync, readFileSync } from "node:fs";
import { type ModelSpec, type ModelSpecInput, parseModelSpec, SpecError } from "../../../vision/spec/model-spec.js";
import { UsageError } from "../errors.js";
import type { SpecFlags } from "../spec-options.js";

/**
 * The model's specification: the sidecar file (or --spec), then flags on top.
 *
 * @param usual the task where none is named, for commands that have a usual one.
 * @throws UsageError when no task is named anywhere; SpecError when the file is wrong.
 */
export function resolveSpec(model: string, flags: SpecFlags, usual?: ModelSpec["task"]): ModelSpec {
  const sidecar = flags.spec ?? `${model.replace(/\.onnx$/, "")}.spec.json`;
  const base = flags.spec || existsSync(sidecar) ? readJson(sidecar) : {};
  const size = flags.sizeRule;
  const range = rangeOf(flags) ?? base.range;
  const merged: Partial<ModelSpecInput> = {
    ...base,
    ...(flags.task && { task: flags.task }),
    ...(range && { range }),
    ...(flags.channels && { channels: flags.channels }),
    ...(flags.layout && { layout: flags.layout }),
    ...(size && { size }),
    ...(flags.ignore && { ignore: flags.ignore }),
    ...(flags.labelOffset !== undefined && { labelOffset: flags.labelOffset }),
    output: {
      ...base.output,
      ...(flags.meaning && { meaning: flags.meaning }),
      ...(flags.outputLayout && { layout: flags.outputLayout }),
      ...(flags.outputRange && { range: flags.outputRange }),
      ...(flags.outputChannels && { channels: flags.outputChannels }),
      ...(flags.outputName && { name: flags.outputName }),
      ...(flags.outputScale !== undefined && { scale: flags.outputScale }),
    },
  };
  if (!merged.task && !usual)
    throw new UsageError(
      `say what ${model} predicts with --task (classification, segmentation, flow, disparity, restoration), or in ${sidecar}.`,
    );
  return parseModelSpec({ ...merged, task: merged.task ?? usual }, existsSync(sidecar) ? sidecar : "The model specification");
}

function rangeOf({ range, mean, std }: SpecFlags): ModelSpecInput["range"] | undefined {
  if (mean || std) {
    if (!mean || !std) throw new UsageError("--mean and --std go together.");
    return { mean: mean as [number], std: std as [number] };
  }
  return range === "imagenet" ? { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } : range;
}

function readJson(path: string): Partial<ModelSpecInput> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Partial<ModelSpecInput>;
  } catch (error) {
    if (error instanceof SyntaxError) throw new SpecError(`${path} is not valid JSON: ${error.message}.`);
    throw error;
  }
}
