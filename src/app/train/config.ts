import { existsSync, readFileSync, statSync } from "node:fs";
import { z } from "zod";
import type { AttackDefinition, Parameters } from "../../methods/attacks/definition.js";
import type { ParameterNotes } from "../../methods/attacks/parameters.js";
import { layoutNames } from "../../vision/data/node/layout-names.js";
import { check, fewProblems } from "../../vision/spec/check.js";
import { taskNames } from "../../vision/tasks/names.js";
import { networkChoiceSchema } from "../networks/configuration.js";
import { loadPlugins, noPlugins, type Plugins } from "../plugins/plugins.js";
import { refuseRecord } from "../runs/refuse-record.js";

/** A training configuration that is not valid: one sentence that names every wrong field. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const whole = z.number().int().positive();
const size = z.tuple([whole, whole]);
const share = z.number().positive().max(1);

/** "8/255" or "0.03" as a number; NaN for any other text. */
function numberIn(text: string): number {
  const [, above, below = "1"] = /^(\d+(?:\.\d+)?)(?:\/(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  return Number(above) / Number(below);
}

const allowed = "a number above 0 or a fraction such as 8/255";
/** Done to the images as they are read: "fog:3". */
const corruption = { corruption: z.string().optional() };
const dataSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("synthetic"),
    /** Side of the square scenes, in pixels. */
    size: z.number().int().min(16),
    length: whole,
    seed: z.union([z.number(), z.string()]).meta({ allowed: "a number or a text" }),
    displacement: z.number().min(0).max(0.5).optional(),
    /** Restoration: frames of an exposure, and what is averaged. */
    subframes: whole
      .refine((n) => n % 2 === 1)
      .meta({ allowed: "an odd whole number" })
      .optional(),
    averaging: z.enum(["light", "stored"]).optional(),
    ...corruption,
  }),
  /** Street scenes for segmentation. */
  z.strictObject({
    kind: z.literal("streets"),
    height: z.number().int().min(16),
    width: z.number().int().min(16),
    length: whole,
    seed: z.union([z.number(), z.string()]).meta({ allowed: "a number or a text" }),
    ...corruption,
  }),
  z.strictObject({
    kind: z.literal("folder"),
    path: z.string(),
    format: z.enum(layoutNames).optional(),
    split: z.string().optional(),
    variant: z.string().optional(),
    ...corruption,
  }),
]);

/** Later groups overrule earlier ones, setting by setting. */
const groups = z
  .array(
    z
      .strictObject({
        /** Patterns of names with *, or all tensors of one axis. */
        of: z
          .union([z.literal("vectors"), z.array(z.string()).nonempty()])
          .meta({ allowed: '"vectors" or a list of names such as "encoders.*"' }),
        /** 0 freezes. */
        learningRate: z.number().nonnegative().optional(),
        weightDecay: z.number().nonnegative().optional(),
      })
      .refine((group) => group.learningRate !== undefined || group.weightDecay !== undefined)
      .meta({ allowed: "an object with of, and learningRate or weightDecay" }),
  )
  .optional();

const optimizerSchema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("adamw"),
    learningRate: z.number().positive(),
    betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
    epsilon: z.number().positive().default(1e-8),
    weightDecay: z.number().nonnegative().default(0.01),
    groups,
  }),
  z.strictObject({
    name: z.literal("sgd"),
    learningRate: z.number().positive(),
    momentum: z.number().min(0).lt(1).default(0.9),
    weightDecay: z.number().nonnegative().default(0),
    kind: z.enum(["classical", "nesterov"]).default("classical"),
    groups,
  }),
]);

const scheduleSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant") }),
  /** Floors and heights are relative to the learning rate. */
  z.strictObject({ kind: z.literal("cosine"), floor: z.number().min(0).max(1).default(0) }),
  z.strictObject({ kind: z.literal("step"), milestones: z.array(whole).nonempty(), factor: z.number().positive().default(0.1) }),
  z.strictObject({
    kind: z.literal("restarts"),
    cycles: z
      .array(z.strictObject({ steps: whole, height: z.number().positive().default(1), floor: z.number().min(0).default(0) }))
      .nonempty(),
  }),
]);

/** Who trains against whom: any attack, with its own parameters. */
export type AdversaryConfig = {
  readonly attack: string;
  readonly share: number;
  readonly trades?: { readonly beta: number };
} & Parameters;

function adversarySchema(attacks: Plugins["attacks"]): z.ZodType<AdversaryConfig> {
  const options = Object.values(attacks).map(asAdversary) as unknown as [z.ZodObject, ...z.ZodObject[]];
  return z.discriminatedUnion("attack", options) as unknown as z.ZodType<AdversaryConfig>;
}

/** An attack's own schema, with the defaults that it has within a training step; lengths may be written as fractions. */
function asAdversary({ name, parameters }: AttackDefinition): z.ZodObject {
  const fields: Record<string, z.ZodType> = {};
  for (const [field, schema] of Object.entries(parameters.shape as Readonly<Record<string, z.ZodType>>)) {
    const { training, unit } = (schema.meta() ?? {}) as Partial<ParameterNotes>;
    if (training === "decided there") continue;
    const bare = schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema;
    const own = training ? bare.default(training.default) : schema;
    fields[field] = unit === "intensity" ? z.preprocess(readFraction, own).meta({ allowed }) : own;
  }
  const whole = z.strictObject({ attack: z.literal(name), share: share.optional(), trades: trades.optional(), ...fields });
  const own = (parameters.def.checks ?? []) as z.core.$ZodCheck<unknown>[];
  return whole.check(...own).overwrite(withShare) as unknown as z.ZodObject;
}

/** The TRADES objective in place of the loss of a batch that is attacked in part. */
const trades = z.strictObject({ beta: z.number().positive().default(6) });

/** Half of each batch, and with TRADES, which takes it twice, all of it. */
function withShare<C>(config: C): C {
  const { attack, share, trades, ...parameters } = config as unknown as AdversaryConfig;
  return { attack, share: share ?? (trades ? 1 : 0.5), ...(trades && { trades }), ...parameters } as unknown as C;
}

/** "8/255" as a number; anything else as it is. */
const readFraction = (value: unknown): unknown => {
  const number = typeof value === "string" ? numberIn(value) : Number.NaN;
  return Number.isFinite(number) ? number : value;
};

/** What a training run is. Complete after parsing: defaults are filled in. */
export const trainConfigSchema = (attacks: Plugins["attacks"] = noPlugins.attacks) =>
  z.strictObject({
    /** Modules of one's own with attacks. */
    plugins: z.array(z.string()).optional(),
    task: z.enum(taskNames),
    network: networkChoiceSchema,
    /** Checkpoint (.pth, .safetensors) to begin with; default: fresh parameters. */
    start: z.string().optional(),
    data: dataSchema,
    /** Random window, [height, width]; default: whole pictures. */
    crop: size.optional(),
    flips: z.array(z.enum(["horizontal", "vertical", "diagonal"])).default([]),
    batch: whole,
    /** Batches whose mean gradient makes one step. */
    pieces: whole.default(1),
    steps: whole,
    loss: z.string().optional(),
    optimizer: optimizerSchema,
    schedule: scheduleSchema.default({ kind: "constant" }),
    /** Steps over which the rate rises from 0. */
    warmup: z.number().int().nonnegative().default(0),
    clipNorm: z.number().positive().optional(),
    /** Decay of a moving average of the parameters, which is then what is evaluated and written. */
    average: z.number().gt(0).lt(1).optional(),
    adversary: adversarySchema(attacks).optional(),
    evaluation: z
      .strictObject({
        data: dataSchema,
        /** Steps between evaluations; there is one at the end in any case. */
        every: whole.default(1000),
        /** Middle part of the pictures, [height, width]; default: the training crop. */
        crop: size.optional(),
        batch: whole.optional(),
        /** The network of the best evaluation is kept and becomes the result; default: the last one does. */
        best: z
          .strictObject({
            /** Default: the task's first metric. */
            metric: z.string().optional(),
            /** Evaluations without improvement after which training stops; default: it goes on to the last step. */
            patience: whole.optional(),
            /** What a value must gain to be better. */
            improvement: z.number().nonnegative().default(0),
          })
          .optional(),
      })
      .optional(),
    /** Steps between checkpoints. */
    checkpoint: whole.default(500),
    /** Steps that one line of records.jsonl sums up. */
    record: whole.default(10),
    seed: z.number().int().default(0),
  });

/** Training of a model of one's own: an ONNX file in place of a network. */
export const importedTrainConfigSchema = (attacks?: Plugins["attacks"]) =>
  trainConfigSchema(attacks)
    .omit({ network: true, start: true })
    .extend({
      /** ONNX file; its float32 initializers are what is trained, under the names in the file. */
      model: z.string(),
      /** What it takes and yields; default: the sidecar beside it. */
      spec: z.string().optional(),
      /** Patterns of initializers' names, with * for any letters. */
      trained: z.array(z.string()).nonempty().default(["*"]),
      /** Patterns of those that stay as they are. */
      frozen: z.array(z.string()).default([]),
    });

export type TrainConfig = z.infer<ReturnType<typeof trainConfigSchema>>;
export type ImportedTrainConfig = z.infer<ReturnType<typeof importedTrainConfigSchema>>;
/** What a training run is besides its network. */
export type TrainSettings = Omit<TrainConfig, "network">;

export type DataConfig = z.infer<typeof dataSchema>;

/** A configuration with the modules that it names. */
export interface OpenConfig {
  readonly config: TrainConfig | ImportedTrainConfig;
  readonly plugins: Plugins;
}

/**
 * Reads and checks a configuration file.
 *
 * @param more modules named beside the file, on the command line.
 * @throws ConfigError naming every field that is wrong; PluginError for a module that cannot be used.
 */
export async function readTrainConfig(path: string, more: readonly string[] = []): Promise<OpenConfig> {
  const value = readJson(path);
  refuseRecord(value, path, "the configuration of a training");
  const fields = value && typeof value === "object" ? value : {};
  const named = "plugins" in fields && Array.isArray(fields.plugins) ? fields.plugins.filter((p) => typeof p === "string") : [];
  const plugins = await loadPlugins([...new Set([...named, ...more])]);
  if (!("model" in fields)) return { config: parseTrainConfig(value, path, plugins), plugins };
  if ("network" in fields) throw new ConfigError(`${path} names both a network and a model; leave one of them out.`);
  const checked = check(importedTrainConfigSchema(plugins.attacks), value);
  if ("problems" in checked) throw new ConfigError(`${path} is not valid: ${fewProblems(checked.problems)}.`);
  return { config: checked.data, plugins };
}

export function parseTrainConfig(value: unknown, where: string, { attacks }: Pick<Plugins, "attacks"> = noPlugins): TrainConfig {
  const checked = check(trainConfigSchema(attacks), value);
  if ("problems" in checked) throw new ConfigError(`${where} is not valid: ${fewProblems(checked.problems)}.`);
  return checked.data;
}

/** Reads JSON. @throws ConfigError where it is none. */
export function readJson(path: string): unknown {
  if (existsSync(path) && statSync(path).isDirectory()) throw new ConfigError(`${path} is a folder; name the file in it.`);
  const text = readFileSync(path, "utf8");
  if (text.includes("\u0000") || text.includes("\ufffd"))
    throw new ConfigError(`${path} is no text; a file of JSON is wanted here.`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${path} is not valid JSON: ${(error as Error).message}.`);
  }
}
