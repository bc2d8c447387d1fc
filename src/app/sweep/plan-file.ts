import { existsSync, readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { z } from "zod";
import { layoutNames } from "../../vision/data/node/layout-names.js";
import { check, fewProblems } from "../../vision/spec/check.js";
import { refuseRecord } from "../runs/refuse-record.js";

// The file that says which cells a sweep has: data, never code.

/** A plan that cannot be read: one sentence. */
export class PlanError extends Error {
  override readonly name = "PlanError";
}

const count = z.number().int().positive();
const size = z
  .string()
  .regex(/^\d+x\d+$/)
  .meta({ allowed: "HEIGHTxWIDTH, such as 224x224" });
const word = z
  .string()
  .regex(/^[\w][\w.+-]*$/)
  .meta({ allowed: "a name of letters, digits, '.', '_', '+' and '-'" });
const oneOrMany = <S extends z.ZodType>(of: S) => z.union([of, z.array(of)]);
const value = z.union([z.string(), z.number(), z.boolean()]);

const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ allowed: "64 hexadecimal digits" })
  .describe("With an address: SHA-256 that the file must have.");

const picture = {
  limit: count.optional().describe("Only so many samples, a choice that the seed decides."),
  resize: size.optional().describe("Resize pictures first, whatever their shape."),
  shorter: count.optional().describe("Bring the shorter side to so many pixels first, the shape kept (ImageNet: 256)."),
  crop: size.optional().describe("Then keep the middle of this size (ImageNet: 224x224)."),
};

const meeting = {
  batch: count.optional().describe("Images per step; default 1."),
  mismatch: z.enum(["pad", "resize", "tile"]).optional().describe("Where a size does not suit the model; default pad."),
  tile: size.optional().describe("With mismatch tile: size of a tile."),
  overlap: z.number().int().nonnegative().optional().describe("With mismatch tile: pixels that neighbors share."),
  memory: z.union([z.string(), z.number()]).optional().describe("Within so many bytes of inner values, such as 4GiB."),
};

const modelEntry = z.strictObject({
  path: z.string().describe("ONNX file, relative to the plan, or its address (https://...)."),
  sha256: hash.optional(),
  name: word.optional().describe("What its cells are called; default the file's name."),
  spec: z
    .union([z.string(), z.record(z.string(), z.unknown())])
    .optional()
    .describe(
      "What it takes and yields: a file, or fields of MODEL.spec.json, on top of that file where it lies beside the model.",
    ),
  data: oneOrMany(z.string()).optional().describe("Names of the data sets that it is run on; default all."),
  ...meeting,
});

const dataEntry = z.strictObject({
  path: z
    .string()
    .describe(
      "Data set or folder of images, relative to the plan; the address of a data set in one file; or synthetic:96,length=8.",
    ),
  sha256: hash.optional(),
  name: word.optional().describe("What its cells are called; default the folder's name."),
  format: z.enum(layoutNames).optional().describe("Layout; default recognized."),
  split: z.string().optional(),
  variant: z.string().optional(),
  ...picture,
});

const attackEntry = z
  .object({ attack: oneOrMany(z.string()) })
  .catchall(oneOrMany(value))
  .describe(
    "An attack, or several, and their parameters as they are typed without dashes; a list stands for each of its values.",
  );

const severity = z.number().int().min(1).max(5);

export const sweepPlanSchema = z.strictObject({
  $schema: z.string().optional(),
  models: z.array(z.union([z.string(), modelEntry])).min(1),
  data: oneOrMany(z.union([z.string(), dataEntry])).describe("Data sets."),
  attacks: z
    .array(z.union([z.string(), attackEntry]))
    .optional()
    .describe("Names of attacks, or attacks with parameters. no-attack (or none) is the images as they are."),
  suites: z
    .array(z.string())
    .optional()
    .describe("Suites whose attacks and corruptions are run as well (faultline evaluate --help)."),
  corruptions: z
    .strictObject({
      kinds: oneOrMany(z.string()).describe("Kinds (faultline corrupt --help), or common for the 15 of ImageNet-C, or all."),
      severities: oneOrMany(severity),
      under: z
        .enum(["no attack", "every attack"])
        .default("no attack")
        .describe("Whether attacks meet the corrupted images too."),
      frost: z.string().optional().describe("Folder of photographs for frost; without it procedural_frost takes its place."),
    })
    .optional(),
  seeds: oneOrMany(z.number().int()).default(0).describe("Seeds of all random numbers: every cell is run with each."),
  target: z.union([z.string(), z.number()]).optional().describe("Drive towards this instead of away from the truth."),
  reference: z.enum(["truth", "prediction"]).default("truth").describe("What an untargeted attack drives away from."),
  scale: z.number().positive().optional().describe("Error, in the task's unit, that counts as wrong."),
  eot: z.string().optional().describe("Average the gradient over random transforms."),
  region: z.string().optional().describe("Image whose white pixels may change, relative to the plan."),
  perturb: oneOrMany(z.string()).optional().describe("Images that may change, where there are two."),
  "fit-on": z
    .union([z.number(), z.string()])
    .optional()
    .describe("What attacks that learn do so from: a share of the samples, or another data set, relative to the plan."),
  "transfer-to": oneOrMany(z.string())
    .optional()
    .describe("ONNX files, relative to the plan, that the images of each cell are shown to as well."),
  save: z.enum(["8-bit", "float"]).default("8-bit"),
  audit: z.boolean().default(true).describe("Whether each run is audited."),
  assets: z.enum(["inline", "folder"]).default("inline").describe("Where pictures of reports lie."),
  ...picture,
  ...meeting,
  threads: count
    .default(1)
    .describe("Threads of one cell. Last digits depend on them, so they are the plan's, whatever the machine."),
  provider: z.enum(["cpu", "cuda", "tensorrt", "coreml", "dml", "webgpu"]).default("cpu"),
  optimization: z.enum(["disabled", "basic", "extended", "layout", "all"]).default("all"),
});

export type SweepPlan = z.infer<typeof sweepPlanSchema>;
export type ModelEntry = z.infer<typeof modelEntry>;
export type DataEntry = z.infer<typeof dataEntry>;

/**
 * Reads a plan: YAML or JSON.
 *
 * @throws PlanError in one sentence, with the line where the text itself is wrong.
 */
export function readSweepPlan(path: string): SweepPlan {
  if (!existsSync(path))
    throw new PlanError(`${path}: there is no such file; faultline sweep --print-plan prints one to begin with.`);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new PlanError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}); name a plan, as a file.`);
  }
  const document = parseDocument(text, { prettyErrors: true });
  const [wrong] = document.errors;
  if (wrong) throw new PlanError(`${path} is not valid YAML: ${wrong.message.split("\n")[0]!.replace(/:$/, "")}.`);
  let read: unknown;
  try {
    read = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new PlanError(`${path} is not valid YAML: ${(error as Error).message}.`);
  }
  if (typeof read !== "object" || read === null || Array.isArray(read))
    throw new PlanError(
      `${path} is no plan: it needs models, data and attacks; faultline sweep --print-plan prints one to begin with.`,
    );
  refuseRecord(read, path, "a plan (faultline sweep --print-plan prints one)");
  const checked = check(sweepPlanSchema, read);
  if ("problems" in checked) throw new PlanError(`${path}: ${fewProblems(checked.problems)}.`);
  return checked.data as SweepPlan;
}

/** What `--print-plan` prints: a plan to begin with. */
export const examplePlan = `# faultline sweep plan.yaml
# Paths are relative to this file. A list stands for each of its values.

models:
  - resnet50.onnx                      # what it takes and yields: resnet50.spec.json beside it
  - path: deit.onnx
    name: deit-s
    spec: { task: classification, range: imagenet }

data:
  - path: ImageNet/val
    name: imagenet
    limit: 1000
    shorter: 256
    crop: 224x224

attacks:
  - none                               # the images as they are
  - attack: [pgd, mi-fgsm]
    epsilon: [1/255, 2/255, 4/255]
    steps: 20
    step-size: 0.25/255
  - attack: square
    epsilon: 4/255
    queries: 1000

corruptions:
  kinds: common                        # ImageNet-C's 15; or a list: [fog, gaussian_noise]
  severities: [1, 3, 5]

batch: 8
seeds: 0
`;
