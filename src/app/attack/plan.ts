import { z } from "zod";
import { type Attack, attackOf } from "../../methods/attacks/definition.js";
import { layoutNames } from "../../vision/data/node/layout-names.js";
import { completeSpecSchema } from "../../vision/spec/model-spec.js";
import type { Plugins } from "../plugins/plugins.js";

const size = z.strictObject({ height: z.number().int().positive(), width: z.number().int().positive() });
/** Changes of the pictures before anything else, in this order. */
const picture = { resize: size.optional(), shorter: z.number().int().positive().optional(), crop: size.optional() };

/** Number of the form of run.json, records.jsonl, summary.json and audit.json; run.json and summary.json hold it as `format`. */
export const runFormat = 2;

/** What run.json holds: everything that determines the result of an attack run. */
export const planFileSchema = z.strictObject({
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
    corruption: z.string().optional(),
    /** Of names, pictures and truth of some samples: the same data whatever the path. */
    sha256: z.string().optional(),
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
  /** Modules that the attack or its loss comes from. */
  plugins: z.array(z.strictObject({ path: z.string(), sha256: z.string() })).optional(),
  /** Which attack, and its parameters, which its own schema checks. */
  attack: z.looseObject({ name: z.string() }).describe("which attack, and its own parameters (faultline attack --help)"),
  /** What the attacker may change and what counts as wrong, whichever the attack. */
  threat: z.strictObject({
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
  /** Where the attack learns something before it attacks: on which samples, or in which file that lies already. */
  fitOn: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("share"), share: z.number().positive().lt(1) }),
      z.strictObject({ kind: z.literal("data"), path: z.string(), sha256: z.string(), length: z.number().int().positive() }),
      z.strictObject({ kind: z.literal("file"), path: z.string(), sha256: z.string() }),
    ])
    .optional(),
  goal: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("untargeted") }),
    z.strictObject({ kind: z.literal("targeted"), target: z.string() }),
  ]),
  /** What an untargeted attack drives away from: the data set's truth, or the model's own clean prediction. */
  reference: z.enum(["truth", "prediction"]),
  /** What is kept of each adversarial image: a file of 8 bits per intensity, or that and the floats themselves. */
  save: z.enum(["8-bit", "float"]).default("8-bit"),
  /** Other models that the adversarial images are measured on, and what they take and yield. */
  transfer: z
    .array(
      z.strictObject({
        path: z.string(),
        sha256: z.string(),
        spec: completeSpecSchema,
        assumed: z.array(z.string()).optional(),
      }),
    )
    .optional(),
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

export type PlanFile = z.infer<typeof planFileSchema>;

/** Another model that a run's images are measured on. */
export type TransferPlan = NonNullable<PlanFile["transfer"]>[number];

/** A plan with the attack that it names. */
export type AttackPlan = Omit<PlanFile, "attack"> & { readonly attack: Attack };

/** A plan as run.json holds it. */
export const planFile = <P extends { readonly attack: Attack }>(plan: P): Omit<P, "attack"> & { attack: PlanFile["attack"] } => {
  const attack: PlanFile["attack"] = { name: plan.attack.name, ...plan.attack.parameters };
  // In its place among the fields: plans are compared by their bytes.
  return { ...(plan as Omit<P, "attack">), attack };
};

/**
 * What decides whether two plans are of the same run: contents, not paths, and what was said, not whether it was. On which other models its images are
 * measured makes no other run.
 */
export function identityOf({
  model: { path: _, ...model },
  data: { path: __, ...data },
  assumed: ___,
  transfer: ____,
  fitOn,
  plugins = [],
  ...plan
}: PlanFile): unknown {
  const others = { ...(fitOn && { fitOn: { ...fitOn, path: undefined } }), plugins: plugins.map(({ sha256 }) => sha256) };
  return { ...plan, model, data, ...others };
}

/**
 * Finds the attack that a file names.
 *
 * @throws AttackError where its parameters are not those of the attack. RangeError where nobody has the attack.
 */
export function planOf(file: PlanFile, { attacks }: Pick<Plugins, "attacks">): AttackPlan {
  const { name, ...parameters } = file.attack;
  const definition = attacks[name];
  if (!definition) throw new RangeError(`there is no attack "${name}"; there are ${Object.keys(attacks).join(", ")}`);
  // In its place among the fields: plans are compared by their bytes.
  return { ...file, attack: attackOf(definition, parameters) };
}
