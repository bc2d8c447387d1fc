import { existsSync, readFileSync } from "node:fs";
import { type Assumption, assumptions, assumptionWords } from "../../../vision/spec/assumptions.js";
import { SpecError } from "../../../vision/spec/error.js";
import { type ModelSpec, type ModelSpecInput, parseModelSpec } from "../../../vision/spec/model-spec.js";
import { sidecarOf } from "../../../vision/spec/sidecar.js";
import { taskNames } from "../../../vision/tasks/names.js";
import { refuseRecord } from "../../runs/refuse-record.js";
import { UsageError } from "../errors.js";
import type { SpecFlags } from "../spec-options.js";

/** A model's specification, and what of it nobody said. */
export interface SaidSpec {
  readonly spec: ModelSpec;
  /** What the sidecar file and the flags say, without the usual values. */
  readonly said: Partial<ModelSpecInput>;
  readonly assumed: readonly Assumption[];
}

/**
 * The model's specification: the sidecar file (or --spec), then flags on top; what neither says is the usual value and listed as assumed.
 *
 * @param usual the task where none is named, for commands that have a usual one. @param more what a plan says on top of the sidecar.
 * @throws UsageError when no task is named anywhere; SpecError when the file is wrong.
 */
export function resolveSpec(
  model: string,
  flags: SpecFlags,
  usual?: ModelSpec["task"],
  more?: Partial<ModelSpecInput>,
): SaidSpec {
  const sidecar = flags.spec ?? sidecarOf(model);
  const file = flags.spec || existsSync(sidecar) ? readJson(sidecar) : {};
  const base = more ? { ...file, ...more, output: { ...file.output, ...more.output } } : file;
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
      ...(flags.outputHead && { head: flags.outputHead }),
      ...(flags.outputBoxes && { boxes: flags.outputBoxes }),
      ...(flags.outputNms !== undefined && { nms: flags.outputNms }),
      ...(flags.outputScale !== undefined && { scale: flags.outputScale }),
      ...(flags.outputAlign && { align: flags.outputAlign }),
    },
  };
  if (!merged.task && !usual) {
    if (!more && !existsSync(model)) throw new UsageError(`${model}: no such file; check the path.`);
    throw new UsageError(
      `say what ${model} predicts ${more ? "in the plan, as spec: { task: ... }" : "with --task"} (${taskNames.join(", ")}), or in ${sidecar}.`,
    );
  }
  const said = { ...merged, task: merged.task ?? usual };
  const spec = parseModelSpec(said, more ? `The specification of ${model}` : saidWhere(sidecar, { task: said.task, ...base }));
  return { spec, said: said as Partial<ModelSpecInput>, assumed: assumptions(said as Partial<ModelSpecInput>, spec) };
}

/** Where a mistake lies: in the file where it is wrong alone, else in what the flags add to it. */
function saidWhere(sidecar: string, base: object): string {
  if (!existsSync(sidecar)) return "The model specification";
  try {
    parseModelSpec(base);
  } catch {
    return sidecar;
  }
  return `What ${sidecar} says and the flags change`;
}

/** Whether an assumption is about what the model takes; commands that look at maps alone depend on no other. */
export const isOfImages = ({ field }: Assumption): boolean => !field.startsWith("output.");

/** One line on standard error that names what is assumed, and how it is settled. */
export function sayAssumed(assumed: readonly Assumption[], model: string): void {
  if (assumed.length > 0)
    process.stderr.write(
      `assumed, since neither flags nor ${sidecarOf(model)} say it: ${assumptionWords(assumed)}; faultline doctor tests it\n`,
    );
}

function rangeOf({ range, mean, std }: SpecFlags): ModelSpecInput["range"] | undefined {
  if (mean || std) {
    if (!mean || !std) throw new UsageError("--mean and --std go together.");
    return { mean: mean as [number], std: std as [number] };
  }
  return range;
}

function readJson(path: string): Partial<ModelSpecInput> {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as Partial<ModelSpecInput>;
    refuseRecord(value, path, "a model's specification");
    return value;
  } catch (error) {
    if (error instanceof SyntaxError) throw new SpecError(`${path} is not valid JSON: ${error.message}.`);
    throw error;
  }
}
