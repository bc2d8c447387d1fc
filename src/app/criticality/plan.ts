import { z } from "zod";
import { layerKinds } from "../../methods/criticality/layer.js";
import { type SchemeName, schemes } from "../../methods/criticality/resets.js";
import { layoutNames } from "../../vision/data/node/layout-names.js";
import { completeSpecSchema } from "../../vision/spec/model-spec.js";

const count = z.number().int().positive();
const size = z.strictObject({ height: count, width: count });
const file = z.strictObject({ path: z.string(), sha256: z.string() });

/** Everything that determines the result of a criticality run; run.json holds it whole. */
export const criticalityPlanSchema = z.strictObject({
  command: z.literal("criticality"),
  version: z.string(),
  model: file,
  spec: completeSpecSchema,
  /** Fields of the specification that nobody said, and that are the usual values. */
  assumed: z.array(z.string()).optional(),
  data: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("dataset"),
      path: z.string(),
      format: z.enum(layoutNames).optional(),
      split: z.string().optional(),
      variant: z.string().optional(),
      corruption: z.string().optional(),
      /** Of names, pictures and truth of some samples: the same data whatever the path. */
      sha256: z.string().optional(),
      /** Samples of the data set, before `limit`. */
      length: count,
      /** A seeded choice of this many. */
      limit: count.optional(),
      shorter: count.optional(),
      crop: size.optional(),
      resize: size.optional(),
      mismatch: z.enum(["pad", "resize"]),
    }),
    z.strictObject({ kind: z.literal("tensors"), ...file.shape, length: count }),
  ]),
  reset: z.strictObject({
    source: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("scheme"), scheme: z.enum(Object.keys(schemes) as [SchemeName, ...SchemeName[]]) }),
      z.strictObject({ kind: z.literal("copies"), copies: z.array(file) }),
    ]),
    /** Whether batch normalization means its running statistics too. */
    statistics: z.enum(["reset", "kept"]),
    /** Share of the output channels that is reset. */
    share: z.number(),
    /** Way from the trained values (0) to the reset (1). */
    towards: z.number(),
  }),
  layers: z.strictObject({
    kinds: z.array(z.enum(layerKinds)),
    /** Patterns with * of the names; none: all layers. */
    only: z.array(z.string()),
    /** Whether layers are reset one by one, by stage, or in the groups that patterns name. */
    together: z.union([z.literal("no"), z.literal("stage"), z.array(z.string())]),
  }),
  trials: count,
  batch: count,
  /** Bytes that activations waiting for resets may take: it decides how many images are worked on at a time. */
  memory: count,
  seed: z.number().int(),
  shard: z.strictObject({ index: count, count }).optional(),
  runtime: z.strictObject({ provider: z.string(), runtime: z.string(), threads: z.number(), optimization: z.string() }),
});

export type CriticalityPlan = z.infer<typeof criticalityPlanSchema>;

/** What decides whether two plans are of the same run: contents, not paths, and what was said, not whether it was. */
export function identityOf({ model, data, reset, assumed: _, ...plan }: CriticalityPlan): unknown {
  const { source } = reset;
  return {
    ...plan,
    model: model.sha256,
    data: data.sha256 === undefined ? data : { ...data, path: data.sha256 },
    reset: { ...reset, source: source.kind === "copies" ? { ...source, copies: source.copies.map((c) => c.sha256) } : source },
  };
}
