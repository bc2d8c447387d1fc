import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { DataError } from "../../vision/data/error.js";
import { readImage } from "../../vision/data/node/image-file.js";
import { tasks } from "../../vision/tasks/index.js";
import { type DataOptions, openData } from "../data/open-data.js";
import { type Plugins, reloadPlugins } from "../plugins/plugins.js";
import { readPredicting } from "../read-predicting.js";
import { RunError } from "../runs/error.js";
import { learnedIn } from "./fit-stage.js";
import { asNamed, type Places } from "./places.js";
import { type AttackPlan, planFileSchema, planOf } from "./plan.js";
import { withPictures } from "./prepare.js";
import type { AttackContext } from "./run-attack.js";

/** A plan, and the modules that it names. */
export interface OpenPlan {
  readonly plan: AttackPlan;
  readonly plugins: Plugins;
}

/**
 * The plan of a run directory.
 *
 * @param elsewhere where modules may lie that have been moved since.
 * @throws RunError when it is no attack run; PluginError when a module that it names is not as it was.
 */
export async function readPlan(folder: string, elsewhere: readonly string[] = []): Promise<OpenPlan> {
  const file = join(folder, "run.json");
  if (!existsSync(file))
    throw new RunError(
      `${folder} is no run directory: ${existsSync(folder) ? "it has no run.json" : "there is no such folder"}.`,
    );
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new RunError(`${file} is not valid JSON.`);
  }
  if (isOfOldForm(value))
    throw new RunError(
      `${file} is in the form of an earlier version, whose plans held every attack's parameters alike; run the attack again, or use the version that made it.`,
    );
  const parsed = planFileSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RunError(`${file} is not the plan of an attack run (${issue?.path.join(".") || "top level"}: ${issue?.message}).`);
  }
  const plugins = await reloadPlugins(parsed.data.plugins, elsewhere);
  try {
    return { plan: planOf(parsed.data, plugins), plugins };
  } catch (error) {
    throw new RunError(`${file} is not the plan of an attack run (${(error as Error).message}).`);
  }
}

/** Before attacks had parameters of their own, what now stands under `threat` stood among them. */
const isOfOldForm = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "command" in value && value.command === "attack" && !("threat" in value);

/**
 * Opens what a run is made from, or was: model, data, attack.
 *
 * @param folder of the run: what the attack has learned lies there. @param model where it is read already. @param at where what the plan names lies.
 */
export async function reopen(
  { plan, plugins }: OpenPlan,
  engine: Engine,
  folder: string,
  { model, at = asNamed }: { readonly model?: OnnxModel; readonly at?: Places } = {},
): Promise<AttackContext> {
  const { spec, goal, threat, fit, fitOn } = plan;
  const options = dataOf(plan, at);
  const opened = await openData(plan.data.path, options, spec.size);
  const dataset = withPictures(opened.dataset, fit);
  const names = spec.classes ?? dataset.classNames;
  return {
    engine,
    plan,
    at,
    plugins,
    model: model ?? (await readPredicting(at(plan.model.path), spec)),
    dataset,
    target:
      goal.kind === "targeted" ? await tasks[spec.task].wish.read(goal.target, (path) => readImage(at(path)), names) : undefined,
    region: threat.region === undefined ? undefined : await readRegion(at(threat.region)),
    lessons: fitOn?.kind === "data" ? withPictures((await openData(fitOn.path, options, spec.size)).dataset, fit) : undefined,
    fitted: await learnedIn(plan, folder, at),
  };
}

/** How a plan's data set is opened. */
export function dataOf({ data, spec }: Pick<AttackPlan, "data" | "spec">, at: Places = asNamed): DataOptions {
  return {
    task: spec.task,
    at,
    ...(data.format && { format: data.format }),
    ...(data.split && { split: data.split }),
    ...(data.variant && { variant: data.variant }),
    ...(data.corruption && { corruption: data.corruption }),
  };
}

/** A mask image as float32 [1, H, W]: 1 where it is white. @throws DataError where nothing is, or where it is an ordinary picture. */
export async function readRegion(path: string): Promise<Tensor<"float32">> {
  const image = await readImage(path);
  const [, h, w] = image.shape as [number, number, number];
  const doubtful = doubtfulShare(image.data, h * w);
  if (doubtful > 0.1)
    throw new DataError(
      `${path} is no mask: ${Math.round(100 * doubtful)} % of its pixels are neither black nor white; draw one with white where something may change.`,
    );
  const data = image.data.slice(0, h * w).map((v) => (v >= 0.5 ? 1 : 0));
  if (!data.includes(1)) throw new DataError(`${path} has no white pixel, so nothing could change; white marks what may.`);
  return { type: "float32", shape: [1, h, w], data };
}

/** Share of pixels, channels one after the other, that are gray or colored. A few are: edges that were smoothed or compressed. */
function doubtfulShare(data: Float32Array, pixels: number): number {
  let count = 0;
  for (let p = 0; p < pixels; p++) {
    const values = [data[p]!, data[pixels + p]!, data[2 * pixels + p]!];
    if (Math.min(...values) < 0.9 && Math.max(...values) > 0.1) count++;
  }
  return count / pixels;
}
