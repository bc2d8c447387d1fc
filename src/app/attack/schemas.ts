import { z } from "zod";
import { conversionNames } from "../../vision/data/conversions.js";
import { modelSpecSchema } from "../../vision/spec/model-spec.js";
import { cardSchema } from "../benchmark/card.js";
import { sweepPlanSchema } from "../sweep/plan-file.js";
import { planFileSchema, runFormat } from "./plan.js";
import type { SchemaName } from "./schema-names.js";

// The files of a run for programs that read them. Where a field changes its meaning or goes, `format` rises; new fields may come at any time.

const share = z.number().min(0).max(1);
const byStage = <S extends z.ZodType>(of: S) =>
  z.object({
    clean: of.describe("the picture as it is"),
    adversarial: of.describe("what the attack found, in floats"),
    saved: of.describe("the same, rounded to 8 bits"),
  });
const references = <S extends z.ZodType>(of: S) =>
  z.object({
    truth: of.optional().describe("against the ground truth, where there is one"),
    target: of.optional().describe("against the attacker's target, where there is one"),
    prediction: of.describe("against the model's own clean prediction"),
  });
const norms = z.object({
  l_inf: z.number(),
  l_2: z.number(),
  l_1: z.number(),
  l_0: z.number().describe("color values that changed"),
});

const failed = z.object({
  index: z.number().int().describe("position in the data set"),
  sample: z.string(),
  error: z.string().describe("why it failed, in one sentence"),
  retry: z.literal(true).optional().describe("the machine failed; the sample is done when the command is repeated"),
});

const score = z.object({
  value: z.number().nullable().describe("the task's headline metric of this sample; null where it is not finite"),
  detail: z.unknown().describe("what the metric over all samples is computed from"),
});

const finished = z.object({
  index: z.number().int().describe("position in the data set"),
  sample: z.string(),
  size: z.tuple([z.number().int(), z.number().int()]).describe("height and width of the picture that was attacked"),
  converted: z
    .array(z.enum(conversionNames))
    .optional()
    .describe("what the picture's file held beyond 8-bit gray or RGB, and was converted as it was read"),
  classes: z.number().int().optional().describe("classes of the model, where it has classes"),
  levels: z
    .object({ few: z.record(z.string(), z.array(z.number())).optional(), tied: share.optional() })
    .optional()
    .describe("parts of the clean prediction that take few values, and these; or the share of places where classes tie"),
  loss: byStage(z.number()).extend({ steps: z.array(z.number()).describe("before each step") }),
  scores: byStage(references(score)),
  untouched: score.optional().describe("where predictions are pictures: the input picture itself, against the truth"),
  perturbation: z.record(z.string(), norms).describe("size of the saved perturbation, for each image"),
  gradient: z
    .object({ zero: share, nan: share })
    .optional()
    .describe("largest share of elements over the steps; absent where the attack follows no gradient"),
  found: z.record(z.string(), z.number()).optional().describe("further numbers that the attack had to say (queries, radius)"),
  members: z
    .record(z.string(), z.object({ loss: z.number(), scores: references(score) }))
    .optional()
    .describe("where the attack is several: what each of them came to, by its name"),
  after: z
    .record(z.string(), share)
    .optional()
    .describe("where several attacks take their turn: the share of correct pixels after each"),
  hidden: share.optional().describe("where a patch hides pixels that have a prediction each: which share; they are in no score"),
  files: z.record(z.string(), z.string()).describe("saved images, relative to the run directory"),
  floats: z.string().optional().describe("with --save float: the images before rounding, safetensors"),
});

/** A line of records.jsonl. */
export const recordSchema = z.union([finished, failed]);

const metrics = z.record(z.string(), z.number().nullable());

/** summary.json */
export const summarySchema = z.object({
  format: z.literal(runFormat),
  samples: z.number().int().describe("samples that all numbers are over"),
  errors: z.array(z.object({ index: z.number().int(), sample: z.string(), error: z.string() })),
  headline: z.object({
    name: z.string().describe("the metric that stands for the rest"),
    better: z.enum(["higher", "lower"]),
    perfect: z.number().nullable().describe("null: infinite"),
  }),
  metrics: z.partialRecord(z.enum(["truth", "target", "prediction"]), byStage(metrics)).describe("shares are from 0 to 1"),
  untouched: metrics.optional().describe("where predictions are pictures: the input pictures themselves, against the truth"),
  loss: byStage(z.number().nullable()),
  gradient: z.object({ zero: z.number().int(), notFinite: z.number().int() }).describe("samples with such a gradient at a step"),
  coarse: z.array(z.string()).optional().describe("what the clean predictions cannot tell apart; then no number says anything"),
  found: z
    .record(z.string(), z.object({ mean: z.number(), median: z.number(), most: z.number() }))
    .optional()
    .describe("further numbers that the attack had to say, over the samples"),
  hidden: share.optional().describe("where a patch hides pixels that have a prediction each: which share; they are in no number"),
  members: z
    .record(z.string(), z.object({ metrics: z.record(z.string(), metrics), loss: z.number() }))
    .optional()
    .describe("where the attack is several: the metrics of each, by reference"),
  worst: z
    .record(z.string(), metrics)
    .optional()
    .describe("there: of each sample the member that makes the headline metric over all samples worst, by reference"),
  after: z
    .array(z.object({ attack: z.string(), correct: share }))
    .optional()
    .describe("where several attacks take their turn: the share of what is right after each, over the samples"),
  smallest: z
    .object({
      norm: z.enum(["l_inf", "l_2", "l_1", "l_0"]),
      right: z.number().int().describe("samples that were right before (towards a target: did not show it)"),
      unbroken: z.number().int().describe("of those, the ones that never broke, within epsilon where there is one"),
      median: z.number().nullable().describe("radius within which half of those broke; null: fewer did"),
      accuracy: z
        .array(z.object({ epsilon: z.number(), share }))
        .describe("share of all samples that hold at radii of the literature; curve.csv has every radius"),
    })
    .optional()
    .describe("where the attack looks for the smallest perturbations"),
  curve: z.array(z.number()).describe("mean loss before each step"),
  transfer: z
    .array(
      z.object({
        model: z.string(),
        sha256: z.string(),
        samples: z.number().int(),
        metrics: z
          .partialRecord(
            z.enum(["truth", "target", "prediction"]),
            z.partialRecord(z.enum(["clean", "adversarial", "saved"]), metrics),
          )
          .describe("adversarial is absent where the run kept no floats"),
        success: z
          .object({ of: z.number().int(), adversarial: share.optional(), saved: share })
          .optional()
          .describe(
            "of the pictures that this model had right (towards a target: that did not show it), how many, and the share that was turned",
          ),
        framing: z.object({ padded: z.number(), scaled: z.number() }).optional(),
      }),
    )
    .optional()
    .describe("the same images on other models (--transfer-to, faultline transfer)"),
  tiles: z.object({ least: z.number(), most: z.number(), all: z.number() }).optional(),
  framing: z
    .object({ padded: z.number(), scaled: z.number() })
    .optional()
    .describe("pictures that the predictor surrounds (mirrors at their edges, or with gray) or scales"),
  converted: z
    .partialRecord(z.enum(conversionNames), z.number().int())
    .optional()
    .describe("how many pictures were not 8-bit gray or RGB, by what was converted as they were read"),
  perturbation: norms.describe("the largest of any saved image"),
});

/** audit.json */
export const auditSchema = z.array(
  z.object({
    name: z.string(),
    verdict: z.enum(["passed", "warning", "failed", "not applicable"]),
    sentence: z.string(),
    numbers: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
  }),
);

/** Every file that a program may read, with what `faultline spec --schema` prints of it. */
export const schemas: Readonly<
  Record<SchemaName, { readonly title: string; readonly schema: z.ZodType; readonly read: "input" | "output" }>
> = {
  spec: { title: "What an ONNX model expects and yields: MODEL.spec.json", schema: modelSpecSchema, read: "input" },
  run: { title: "Everything that determines an attack run: run.json", schema: planFileSchema, read: "input" },
  record: { title: "What came of one sample: a line of records.jsonl", schema: recordSchema, read: "output" },
  summary: { title: "An attack run in numbers: summary.json", schema: summarySchema, read: "output" },
  card: { title: "What a model came to on one data set: card.json", schema: cardSchema, read: "output" },
  sweep: { title: "What a sweep runs: the file that faultline sweep reads", schema: sweepPlanSchema, read: "input" },
  audit: { title: "Whether the numbers can be believed: audit.json", schema: auditSchema, read: "output" },
};
