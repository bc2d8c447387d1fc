import { z } from "zod";
import { tasks } from "../tasks/index.js";
import { check } from "./check.js";

// What a model expects and yields. It is said (sidecar file or flags), checked, and never guessed: a wrong range or channel order is the most
// common reason for robustness numbers that mean nothing.

const three = z.tuple([z.number(), z.number(), z.number()]);
const positive = z.number().int().positive();

export const rangeSchema = z.union([
  z.literal("0..1").describe("intensities as they are"),
  z.literal("0..255").describe("intensities times 255"),
  z.literal("-1..1").describe("2 x - 1"),
  z
    .strictObject({ mean: z.union([three, z.tuple([z.number()])]), std: z.union([three, z.tuple([z.number()])]) })
    .describe("(x - mean) / std, in units of [0, 1]"),
]);

const classMeanings = ["logits", "probabilities", "binary-logits", "binary-probabilities"] as const;
const outputBase = {
  /** Name of the model's output; default the first. */
  name: z.string().optional(),
  layout: z.enum(["nchw", "nhwc"]).default("nchw"),
};

export const modelSpecSchema = z.strictObject({
  task: z.enum(["classification", "segmentation", "flow", "disparity", "restoration"]),
  /** Model input for each image role; default the model's inputs in order. */
  inputs: z.record(z.string(), z.string()).optional(),
  range: rangeSchema.default("0..1"),
  channels: z.enum(["rgb", "bgr", "gray"]).default("rgb"),
  layout: z.enum(["nchw", "nhwc"]).default("nchw"),
  /** Which image sizes the model takes; others are padded, resized or cut into tiles. */
  size: z
    .discriminatedUnion("rule", [
      z.strictObject({ rule: z.literal("any") }),
      z.strictObject({ rule: z.literal("multiple"), of: positive }),
      z.strictObject({ rule: z.literal("fixed"), height: positive, width: positive }),
    ])
    .default({ rule: "any" }),
  output: z
    .strictObject({
      ...outputBase,
      /** Classification and segmentation: what the numbers are. Binary ones have a single channel, the second class's. */
      meaning: z.enum(classMeanings).default("logits"),
      /** Flow and disparity: pixels per unit of output (20 where a network yields flow / 20; negative to flip the sign). */
      scale: z.number().default(1),
      /** Restoration: range of the restored image. */
      range: rangeSchema.default("0..1"),
      channels: z.enum(["rgb", "bgr", "gray"]).default("rgb"),
    })
    .default({ layout: "nchw", meaning: "logits", scale: 1, range: "0..1", channels: "rgb" }),
  /** Labels without ground truth; default those of the task (segmentation 255 and -1, all others none). */
  ignore: z.array(z.number().int()).optional(),
  /** Added to the data set's labels: 1 where the model has a background class 0 that the data lack, -1 the other way round. */
  labelOffset: z.number().int().default(0),
  /** Names of the classes, for reports. */
  classes: z.array(z.string()).optional(),
});

/** With everything said, as a plan holds it. */
export const completeSpecSchema = modelSpecSchema.required({ ignore: true });

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
  return completeSpecSchema.parse({ ...checked.data, ignore: checked.data.ignore ?? [...tasks[checked.data.task].ignore] });
}

/** Image roles of each task, in the order in which models usually take them. */
export const imageRoles = {
  classification: ["image"],
  segmentation: ["image"],
  flow: ["image1", "image2"],
  disparity: ["left", "right"],
  restoration: ["image"],
} as const satisfies Record<ModelSpec["task"], readonly string[]>;
