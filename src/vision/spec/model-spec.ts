import { z } from "zod";
import { type Task, taskNames, tasks } from "../tasks/index.js";
import { check, fewProblems, type Problem } from "./check.js";
import { SpecError } from "./error.js";
import { parseSizeRule, sizeWord } from "./size-rule.js";

// What a model expects and yields. It is said (sidecar file or flags) and checked; what nobody says is the usual value, and is named as assumed
// (`assumptions.ts`): a wrong range or channel order is the most common reason for robustness numbers that mean nothing.

const three = <T extends z.ZodType>(each: T) => z.tuple([each, each, each]);
// Means in levels of 0 to 255 are the usual slip.
const mean = z
  .number()
  .min(-1)
  .max(1)
  .meta({ allowed: "in units of [0, 1] (divide a mean and a deviation in levels of 0 to 255 by 255)" });
const deviation = z.number().positive();
const positive = z.number().int().positive();

/** The usual normalization of ImageNet's models, in units of [0, 1]. */
const imagenet = (): { mean: [number, number, number]; std: [number, number, number] } => ({
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
});

export const rangeSchema = z.union([
  z.literal("0..1").describe("intensities as they are"),
  z.literal("0..255").describe("intensities times 255"),
  z.literal("-1..1").describe("2 x - 1"),
  z.literal("imagenet").transform(imagenet).describe("ImageNet's usual mean and deviation"),
  z
    .strictObject({ mean: z.union([three(mean), z.tuple([mean])]), std: z.union([three(deviation), z.tuple([deviation])]) })
    .describe("(x - mean) / std, in units of [0, 1]"),
]);

const sizeRules = z.discriminatedUnion("rule", [
  z.strictObject({ rule: z.literal("any") }),
  z.strictObject({ rule: z.literal("multiple"), of: positive }),
  z.strictObject({ rule: z.literal("fixed"), height: positive, width: positive }),
]);

const layout = z.enum(["nchw", "nhwc"]);

/** Everything that some task's output may be. */
const meanings = [...new Set(Object.values(tasks).flatMap(({ output }) => output.meanings))];

/** Every layout of a detector's outputs. */
const heads = [...new Set(Object.values(tasks).flatMap(({ output }) => output.heads ?? []))];

/** What the four numbers of a box may be: center and size or two corners, in pixels or as shares of the picture. */
export const boxForms = ["cxcywh", "xyxy", "cxcywh-normalized", "xyxy-normalized"] as const;
export type BoxForm = (typeof boxForms)[number];

const outputSchema = z.strictObject({
  name: z
    .union([z.string(), z.array(z.string()).min(1)])
    .optional()
    .describe("Which output, or a list where a head has several; default the first, in detection all."),
  layout: layout.default("nchw").describe("Axes of the output."),
  meaning: z
    .enum(meanings)
    .optional()
    .describe(`What the numbers are. ${meaningsByTask()}. Binary ones have one channel, the second class's.`),
  scale: z
    .number()
    .default(1)
    .describe(
      "Flow and disparity: pixels for each unit of output (20 where a network yields flow / 20; negative flips the sign). Depth: meters, or 1/meters.",
    ),
  range: rangeSchema.default("0..1").describe("Restoration: range of the restored image."),
  channels: z.enum(["rgb", "bgr", "gray"]).default("rgb").describe("Restoration: channel order of the restored image."),
  align: z
    .enum(["none", "median", "least-squares"])
    .optional()
    .describe("How a prediction of unknown scale is laid on the truth before it is measured. Default: none."),
  head: z
    .enum(heads)
    .optional()
    .describe("Detection: how boxes and scores are laid out. Default: recognized from the outputs' number and shapes."),
  boxes: z
    .enum(boxForms)
    .optional()
    .describe(
      "Detection: what the four numbers of a box are; normalized ones are shares of the picture, others its pixels. Default: the head's own.",
    ),
  nms: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe(
      "Detection: boxes of a class that overlap a surer one by more than this (intersection over union) are dropped; 1 keeps all. Default: the head's own.",
    ),
});

export const modelSpecSchema = z.strictObject({
  $schema: z
    .string()
    .optional()
    .describe("Where the schema of this file lies, for editors; `faultline spec --schema` writes it."),
  task: z.enum(taskNames).describe("What the model predicts."),
  inputs: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      "The model's input for each image (image; image1, image2 in flow; left, right in disparity). Default: its inputs in order.",
    ),
  range: rangeSchema.default("0..1").describe("Values that the model takes."),
  channels: z.enum(["rgb", "bgr", "gray"]).default("rgb").describe("Order of the channels that the model takes."),
  layout: layout.default("nchw").describe("Axes of the model's input."),
  size: z
    .union([
      z
        .string()
        .regex(sizeWord)
        .transform((text) => parseSizeRule(text)!),
      sizeRules,
    ])
    .meta({ allowed: "any, multiple:32, fixed:480x640 (height x width), or an object with rule" })
    .default({ rule: "any" })
    .describe(
      "Image sizes that the model takes; other pictures are padded, resized or cut into tiles. A size that the file fixes is read from it.",
    ),
  output: outputSchema.prefault({}).describe("What the model yields."),
  ignore: z
    .array(z.number().int())
    .optional()
    .describe("Labels without ground truth. Default: 255 and -1 in segmentation, none elsewhere."),
  labelOffset: z
    .number()
    .int()
    .default(0)
    .describe(
      "Added to the data set's labels: 1 where the model has a background class 0 that the data lack, -1 the other way round.",
    ),
  classes: z.array(z.string()).optional().describe("Names of the model's classes, from class 0 on, for tables and legends."),
});

/** "classification: logits, ...; flow: displacement", the tasks with one list together. */
function meaningsByTask(): string {
  const lists = new Map<string, string[]>();
  for (const { name, output } of Object.values(tasks)) {
    const list = output.meanings.join(", ");
    lists.set(list, [...(lists.get(list) ?? []), name]);
  }
  return [...lists].map(([list, of]) => `${of.join(", ")}: ${list}`).join("; ");
}

/** With everything said, as a plan holds it. */
export const completeSpecSchema = modelSpecSchema
  .omit({ $schema: true })
  .required({ ignore: true })
  .extend({ output: outputSchema.required({ meaning: true }) });

/** The outputs that a specification names; undefined where it names none. */
export const namedOutputs = ({ output: { name } }: Pick<ModelSpec, "output">): readonly string[] | undefined =>
  typeof name === "string" ? [name] : name;

/** Complete, with defaults filled in. */
export type ModelSpec = z.infer<typeof completeSpecSchema>;
export type ModelSpecInput = z.input<typeof modelSpecSchema>;
export type ValueRange = z.infer<typeof rangeSchema>;

/**
 * Checks what a sidecar file (`model.spec.json` beside `model.onnx`) or flags say.
 *
 * @param saidBy what said a field, where that is known better than by the field's name (a flag): mistakes are then told of that alone.
 * @throws SpecError naming every field that is wrong.
 * @example parseModelSpec({ task: "segmentation", range: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } })
 */
export function parseModelSpec(
  value: unknown,
  where = "The model specification",
  saidBy: (field: string) => string | undefined = () => undefined,
): ModelSpec {
  const refuse = (problems: readonly Problem[]): never => {
    const about = problems.every(({ field }) => saidBy(field) !== undefined) ? "" : `${where} is not valid: `;
    throw new SpecError(`${about}${fewProblems(problems, (field) => saidBy(field) ?? field)}.`);
  };
  const checked = check(modelSpecSchema, value);
  if ("problems" in checked) return refuse(checked.problems);
  const { $schema: _, ...data } = checked.data;
  const task = tasks[data.task];
  const ignore = data.ignore ?? [...task.ignore];
  const output = { ...data.output, meaning: data.output.meaning ?? task.output.meanings[0] };
  const idle = idleFields(task, { ...data, ignore, output });
  if (idle.length > 0) return refuse(idle);
  // Parsed again, so that the fields stand in the schema's order: plans are compared by their bytes.
  return completeSpecSchema.parse({ ...data, ignore, output });
}

/** What is said and would be without effect for the task. */
function idleFields({ name, kind, output: { meanings, fields } }: Task, { ignore, labelOffset, output }: ModelSpec): Problem[] {
  const usual = outputSchema.parse({});
  const idle: Problem[] = [];
  if (!meanings.includes(output.meaning))
    idle.push({
      field: "output.meaning",
      message: `${meanings.length === 1 ? `is "${meanings[0]}" for ${name}` : `must be one of ${meanings.join(", ")} for ${name}`}, not "${output.meaning}"`,
    });
  for (const field of ["scale", "range", "channels", "align", "head", "boxes", "nms"] as const)
    if (!fields.includes(field) && output[field] !== usual[field])
      idle.push({ field: `output.${field}`, message: `has no effect for ${name}; leave it out` });
  const noLabels = `${name} has no labels; leave it out`;
  if (kind !== "classes" && ignore.length > 0) idle.push({ field: "ignore", message: noLabels });
  if (kind !== "classes" && labelOffset !== 0) idle.push({ field: "labelOffset", message: noLabels });
  return idle;
}
