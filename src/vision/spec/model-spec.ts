import { z } from "zod";
import { tasks } from "../tasks/index.js";
import { check } from "./check.js";
import { parseSizeRule, sizeWord } from "./size-rule.js";

// What a model expects and yields. It is said (sidecar file or flags) and checked; what nobody says is the usual value, and is named as assumed
// (`assumptions.ts`): a wrong range or channel order is the most common reason for robustness numbers that mean nothing.

const three = z.tuple([z.number(), z.number(), z.number()]);
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
    .strictObject({ mean: z.union([three, z.tuple([z.number()])]), std: z.union([three, z.tuple([z.number()])]) })
    .describe("(x - mean) / std, in units of [0, 1]"),
]);

const sizeRules = z.discriminatedUnion("rule", [
  z.strictObject({ rule: z.literal("any") }),
  z.strictObject({ rule: z.literal("multiple"), of: positive }),
  z.strictObject({ rule: z.literal("fixed"), height: positive, width: positive }),
]);

const classMeanings = ["logits", "probabilities", "binary-logits", "binary-probabilities"] as const;
const layout = z.enum(["nchw", "nhwc"]);

export const modelSpecSchema = z.strictObject({
  $schema: z
    .string()
    .optional()
    .describe("Where the schema of this file lies, for editors; `faultline spec --schema` writes it."),
  task: z.enum(["classification", "segmentation", "flow", "disparity", "restoration"]).describe("What the model predicts."),
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
  output: z
    .strictObject({
      name: z.string().optional().describe("Which output; default the first."),
      layout: layout.default("nchw").describe("Axes of the output."),
      meaning: z
        .enum(classMeanings)
        .default("logits")
        .describe("Classification and segmentation: what the numbers are. Binary ones have one channel, the second class's."),
      scale: z
        .number()
        .default(1)
        .describe(
          "Flow and disparity: pixels for each unit of output (20 where a network yields flow / 20; negative flips the sign).",
        ),
      range: rangeSchema.default("0..1").describe("Restoration: range of the restored image."),
      channels: z.enum(["rgb", "bgr", "gray"]).default("rgb").describe("Restoration: channel order of the restored image."),
    })
    .default({ layout: "nchw", meaning: "logits", scale: 1, range: "0..1", channels: "rgb" })
    .describe("What the model yields."),
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

/** With everything said, as a plan holds it. */
export const completeSpecSchema = modelSpecSchema.omit({ $schema: true }).required({ ignore: true });

/** Complete, with defaults filled in. */
export type ModelSpec = z.infer<typeof completeSpecSchema>;
export type ModelSpecInput = z.input<typeof modelSpecSchema>;
export type ValueRange = z.infer<typeof rangeSchema>;

/** A sidecar file or flag that does not say what a model expects: one sentence. */
export class SpecError extends Error {
  override readonly name = "SpecError";
}

/**
 * Checks what a sidecar file (`model.spec.json` beside `model.onnx`) or flags say.
 *
 * @throws SpecError naming every field that is wrong.
 * @example parseModelSpec({ task: "segmentation", range: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } })
 */
export function parseModelSpec(value: unknown, where = "The model specification"): ModelSpec {
  const checked = check(modelSpecSchema, value);
  if ("problems" in checked) throw new SpecError(`${where} is not valid: ${checked.problems.join("; ")}.`);
  // Parsed again, so that the fields stand in the schema's order: plans are compared by their bytes.
  const { $schema: _, ...said } = checked.data;
  return completeSpecSchema.parse({ ...said, ignore: said.ignore ?? [...tasks[said.task].ignore] });
}

/** Image roles of each task, in the order in which models usually take them. */
export const imageRoles = {
  classification: ["image"],
  segmentation: ["image"],
  flow: ["image1", "image2"],
  disparity: ["left", "right"],
  restoration: ["image"],
} as const satisfies Record<ModelSpec["task"], readonly string[]>;
