import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { z } from "zod";
import { attackNames } from "../../methods/attacks/catalogue/names.js";
import { layoutNames } from "../../vision/data/node/layout-names.js";
import { completeSpecSchema } from "../../vision/spec/model-spec.js";

const fraction = z.number().positive();
const size = z.strictObject({ height: z.number().int().positive(), width: z.number().int().positive() });
/** Changes of the pictures before anything else, in this order. */
const picture = { resize: size.optional(), shorter: z.number().int().positive().optional(), crop: size.optional() };

/** Number of the form of run.json, records.jsonl, summary.json and audit.json; run.json and summary.json hold it as `format`. */
export const runFormat = 1;

/** Everything that determines the result of an attack run; run.json holds it whole. */
export const attackPlanSchema = z.strictObject({
  command: z.literal("attack"),
  format: z.literal(runFormat).default(runFormat),
  version: z.string(),
  model: z.strictObject({ path: z.string(), sha256: z.string() }),
  spec: completeSpecSchema,
  /** Fields of the specification that nobody said, and that are the usual values. */
  assumed: z.array(z.string()).optional(),
  data: z.strictObject({
    path: z.string(),
    format: z.enum(layoutNames).optional(),
    split: z.string().optional(),
    variant: z.string().optional(),
    /** Samples of the data set, before `limit`. */
    length: z.number().int().positive(),
    limit: z.number().int().positive().optional(),
  }),
  fit: z.discriminatedUnion("mismatch", [
    z.strictObject({ ...picture, mismatch: z.enum(["pad", "resize"]) }),
    z.strictObject({
      ...picture,
      mismatch: z.literal("tile"),
      tiles: size.extend({ overlap: z.number().int().nonnegative() }),
    }),
  ]),
  attack: z.strictObject({
    name: z.union([z.enum(attackNames), z.literal("ensemble")]),
    norm: z.enum(["l_inf", "l_2", "l_1"]),
    epsilon: fraction,
    stepSize: fraction.optional(),
    schedule: z.enum(["constant", "linear", "cosine"]).default("constant"),
    steps: z.number().int().positive(),
    restarts: z.number().int().positive(),
    /** Where random starts lie: as the attack's authors have them, or anywhere in the ball. */
    randomStart: z.enum(["published", "ball"]).default("published"),
    grid: z.enum(["continuous", "8-bit"]),
    loss: z.string().optional(),
    alignment: z.string().optional(),
    /** The task's unit of error for residual alignments and for "correct" in regression. */
    scale: z.number().positive(),
    perturb: z.array(z.string()).optional(),
    /** Expectation over transformation: a built-in transform, or an ONNX file and its hash. */
    eot: z
      .strictObject({ transform: z.string(), samples: z.number().int().positive(), sha256: z.string().optional() })
      .optional(),
    /** Image whose white pixels may change. */
    region: z.string().optional(),
  }),
  goal: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("untargeted") }),
    z.strictObject({ kind: z.literal("targeted"), target: z.string() }),
  ]),
  /** What an untargeted attack drives away from: the data set's truth, or the model's own clean prediction. */
  reference: z.enum(["truth", "prediction"]),
  /** What is kept of each adversarial image: a file of 8 bits per intensity, or that and the floats themselves. */
  save: z.enum(["8-bit", "float"]).default("8-bit"),
  batch: z.number().int().positive(),
  seed: z.number().int(),
  shard: z.strictObject({ index: z.number().int().positive(), count: z.number().int().positive() }).optional(),
  runtime: z.strictObject({
    provider: z.string(),
    runtime: z.string(),
    threads: z.number(),
    optimization: z.string(),
    /** Bytes of inner values within which a step computes again what it does not keep. */
    memory: z.number().positive().optional(),
  }),
});

export type AttackPlan = z.infer<typeof attackPlanSchema>;

/** SHA-256 of a file, as hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
