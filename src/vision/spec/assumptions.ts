import { type Task, tasks } from "../tasks/index.js";
import type { ModelSpec, ModelSpecInput } from "./model-spec.js";

/** What nobody said of a model and is therefore taken to be as usual. */
export interface Assumption {
  /** The specification's field: `range`, `output.meaning`. */
  readonly field: string;
  /** What it is in words: "value range". */
  readonly what: string;
  readonly value: string;
  /** Another value for which the file would look the same. */
  readonly alike?: string;
  /** The flag that settles it. */
  readonly flag: string;
}

interface Assumable extends Omit<Assumption, "value" | "alike"> {
  readonly said: (said: Partial<ModelSpecInput>) => unknown;
  readonly value: (spec: ModelSpec) => unknown;
  readonly alike?: (spec: ModelSpec) => string | undefined;
  /** Whether predictions of the task depend on it. */
  readonly matters: (task: Task) => boolean;
}

const always = () => true;
const uses =
  (field: Task["output"]["fields"][number]) =>
  ({ output }: Task) =>
    output.fields.includes(field);

const assumable: readonly Assumable[] = [
  { field: "range", what: "value range", flag: "--range", said: (s) => s.range, value: (s) => s.range, matters: always },
  {
    field: "channels",
    what: "channel order",
    flag: "--channels",
    said: (s) => s.channels,
    value: (s) => s.channels,
    matters: always,
  },
  {
    field: "output.meaning",
    what: "meaning of the output",
    flag: "--meaning",
    said: (s) => s.output?.meaning,
    value: (s) => s.output.meaning,
    matters: ({ output }) => output.meanings.length > 1,
  },
  {
    field: "output.head",
    what: "head of the detector",
    flag: "--output-head",
    said: (s) => s.output?.head,
    value: (s) => s.output.head ?? "recognized by its outputs",
    alike: ({ task, output }) => (output.head === undefined ? undefined : tasks[task].output.headAlike?.(output.head)),
    matters: uses("head"),
  },
  {
    field: "output.scale",
    what: "scale of the output",
    flag: "--output-scale",
    said: (s) => s.output?.scale,
    value: (s) => s.output.scale,
    matters: uses("scale"),
  },
  {
    field: "output.range",
    what: "range of the restored image",
    flag: "--output-range",
    said: (s) => s.output?.range,
    value: (s) => s.output.range,
    matters: uses("range"),
  },
  {
    field: "output.channels",
    what: "channel order of the restored image",
    flag: "--output-channels",
    said: (s) => s.output?.channels,
    value: (s) => s.output.channels,
    matters: uses("channels"),
  },
];

/**
 * The fields that a specification leaves to their usual values, of those that decide what the model sees and what its output means.
 *
 * @param said what a file or flags say. @param spec the same, complete.
 * @example assumptions({ task: "segmentation", range: "0..255" }, spec) // channel order rgb, meaning of the output logits
 */
export function assumptions(said: Partial<ModelSpecInput>, spec: ModelSpec): Assumption[] {
  return assumable.filter((a) => a.matters(tasks[spec.task]) && a.said(said) === undefined).map((a) => assumed(a, spec));
}

/** The same from the names of the fields, as plans keep them. */
export function assumptionsNamed(fields: readonly string[], spec: ModelSpec): Assumption[] {
  return assumable.filter((a) => fields.includes(a.field)).map((a) => assumed(a, spec));
}

function assumed({ field, what, flag, value, alike }: Assumable, spec: ModelSpec): Assumption {
  const other = alike?.(spec);
  return { field, what, flag, value: String(value(spec)), ...(other !== undefined && { alike: other }) };
}

/** A complete specification without what was assumed: as somebody said it. */
export function withoutAssumed(spec: ModelSpec, fields: readonly string[]): ModelSpecInput {
  const without = <T extends object>(of: T, names: readonly string[]) =>
    Object.fromEntries(Object.entries(of).filter(([name]) => !names.includes(name))) as Partial<T>;
  const inner = fields.flatMap((f) => (f.startsWith("output.") ? [f.slice("output.".length)] : []));
  return { ...without(spec, fields), task: spec.task, output: without(spec.output, inner) };
}

/** "value range 0..1 (--range), head of the detector detr and not rt-detr, whose outputs may look the same (--output-head)" */
export const assumptionWords = (list: readonly Assumption[]): string =>
  list
    .map(({ what, value, alike, flag }) => {
      const not = alike === undefined ? "" : ` and not ${alike}, whose outputs may look the same`;
      return `${what} ${value}${not} (${flag})`;
    })
    .join(", ");
