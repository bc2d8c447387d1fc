import { existsSync, readFileSync } from "node:fs";
import { type Assumption, assumptions, assumptionsNamed, assumptionWords } from "../../../vision/spec/assumptions.js";
import { SpecError } from "../../../vision/spec/error.js";
import { type ModelSpec, type ModelSpecInput, parseModelSpec } from "../../../vision/spec/model-spec.js";
import { sidecarOf } from "../../../vision/spec/sidecar.js";
import { taskNames } from "../../../vision/tasks/names.js";
import { flagOf } from "../../attack/flag-of.js";
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
  const merged = withFlags(base, flags);
  if (!merged.task && !usual) {
    if (!more && !existsSync(model)) throw new UsageError(`${model}: no such file; check the path.`);
    throw new UsageError(
      `say what ${model} predicts ${more ? "in the plan, as spec: { task: ... }" : "with --task"} (${taskNames.join(", ")}), or in ${sidecar}.`,
    );
  }
  const said = { ...merged, task: merged.task ?? usual };
  const where = more ? `The specification of ${model}` : saidWhere(sidecar, { task: said.task, ...base });
  const spec = parseModelSpec(said, where, saidBy(flags));
  return { spec, said: said as Partial<ModelSpecInput>, assumed: assumptions(said as Partial<ModelSpecInput>, spec) };
}

/** The field of a specification that each flag says. */
const fieldOf = {
  task: "task",
  range: "range",
  mean: "range.mean",
  std: "range.std",
  channels: "channels",
  layout: "layout",
  sizeRule: "size",
  meaning: "output.meaning",
  outputName: "output.name",
  outputLayout: "output.layout",
  outputRange: "output.range",
  outputChannels: "output.channels",
  outputScale: "output.scale",
  outputAlign: "output.align",
  outputHead: "output.head",
  outputBoxes: "output.boxes",
  outputNms: "output.nms",
  ignore: "ignore",
  labelOffset: "labelOffset",
} as const satisfies Record<Exclude<keyof SpecFlags, "spec">, string>;

/** The flags that were typed, with their fields. */
const typed = (flags: SpecFlags) =>
  (Object.keys(fieldOf) as (keyof typeof fieldOf)[])
    .filter((flag) => flags[flag] !== undefined)
    .map((flag) => ({ flag, field: fieldOf[flag] }));

/** What is said, with what the flags say in its place. */
function withFlags(base: Partial<ModelSpecInput>, flags: SpecFlags): Partial<ModelSpecInput> {
  const range = rangeOf(flags) ?? base.range;
  const top: Record<string, unknown> = {};
  const output: Record<string, unknown> = {};
  for (const { flag, field } of typed(flags)) {
    if (field.startsWith("output.")) output[field.slice("output.".length)] = flags[flag];
    else if (!field.startsWith("range")) top[field] = flags[flag];
  }
  return { ...base, ...(range !== undefined && { range }), ...top, output: { ...base.output, ...output } };
}

/** Names the flag that said a field (or what the field is part of); undefined where none did. */
const saidBy = (flags: SpecFlags) => (path: string) => {
  const by = typed(flags).find(({ field }) => path === field || path.startsWith(`${field}.`));
  return by && flagOf(by.flag);
};

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

/** What was assumed, with what the model's file says of it: the head that its outputs look like. */
export const assumedOf = ({ assumed }: SaidSpec, spec: ModelSpec): Assumption[] =>
  assumptionsNamed(
    assumed.map(({ field }) => field),
    spec,
  );

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
