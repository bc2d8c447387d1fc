import { existsSync, statSync } from "node:fs";
import { corruptedDataset } from "../../vision/corruptions/index.js";
import type { Dataset } from "../../vision/data/dataset.js";
import { DataError } from "../../vision/data/error.js";
import { type OpenOptions, openDataset } from "../../vision/data/node/open.js";
import { syntheticDataset } from "../../vision/data/synthetic/dataset.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { asNamed, type Places } from "../attack/places.js";
import { refuseRecord } from "../runs/refuse-record.js";
import { openConfigured } from "../train/build.js";
import { readJson, readTrainConfig } from "../train/config.js";
import { readCorruption } from "./corruption.js";

/** Samples of `--data synthetic`, and their side where the model takes any. */
const usual = { length: 16, side: 128 };

/** How a data set is read, and what is done to its images (`fog:3`). */
export interface DataOptions extends OpenOptions {
  readonly corruption?: string | undefined;
  /** Where what is named lies; default: as it is named. */
  readonly at?: Places;
  /** Of the model, where they are known: scenes that are made show no more. */
  readonly classes?: number | undefined;
}

/** What `--data` names. */
export interface NamedData {
  readonly dataset: Dataset;
  /** What names the same data again, whatever the model: `synthetic:96x96,length=16,seed=1` for `synthetic`. */
  readonly name: string;
}

/**
 * Opens what `--data` names: a folder with a data set, `synthetic` (scenes that are made, with exact truth), or the JSON file of a training, whose
 * evaluation data (or training data, where there are none) are meant.
 *
 * @param size sizes that the model takes: synthetic scenes are made for them.
 * @throws DataError, ConfigError in one sentence.
 */
export async function openData(
  name: string,
  { corruption, at = asNamed, classes, ...options }: DataOptions,
  size: ModelSpec["size"] = { rule: "any" },
): Promise<NamedData> {
  const named = isMade(name) ? openSynthetic(name, options, size, classes) : { dataset: await openFile(at(name), options), name };
  if (corruption === undefined) return named;
  return { ...named, dataset: corruptedDataset(named.dataset, await readCorruption(corruption, at)) };
}

/** Whether a name is of scenes that are made: `synthetic`, `synthetic:96,length=8` (where no file bears it). */
export const isMade = (name: string): boolean => /^synthetic(:.*)?$/.test(name) && !existsSync(name);

async function openFile(path: string, options: OpenOptions): Promise<Dataset> {
  if (/\.(npz|npy|safetensors)$/i.test(path) && existsSync(path) && statSync(path).isFile())
    throw new DataError(`${path} holds tensors, and --data takes a folder; attack and criticality take tensors with --input.`);
  if (path.endsWith(".json") && !existsSync(path)) throw new DataError(`There is no file ${path}.`);
  if (!path.endsWith(".json") || !existsSync(path) || !statSync(path).isFile()) return openDataset(path, options);
  refuseRecord(readJson(path), path, "a data set (a folder, or the configuration of a training)");
  const { config } = await readTrainConfig(path);
  if (config.task !== options.task)
    throw new DataError(`${path} trains for ${config.task}, and the model is for ${options.task}.`);
  return openConfigured(config.evaluation?.data ?? config.data, config.task);
}

function openSynthetic(name: string, { task }: OpenOptions, size: ModelSpec["size"], ofModel: number | undefined): NamedData {
  const settings = name.replace(/^synthetic:?/, "");
  let { height, width } = sidesFor(size);
  const most = tasks[task].synthetic.classNames?.length ?? 0;
  let [length, seed, classes] = [usual.length, 1, Math.min(most, ofModel ?? most)];
  for (const part of settings.split(",").filter(Boolean)) {
    const sides = /^(\d+)(?:x(\d+))?$/.exec(part);
    const [, what, text] = /^(length|seed|classes)=(-?\d+)$/.exec(part) ?? [];
    if (sides) [height, width] = [Number(sides[1]), Number(sides[2] ?? sides[1])];
    else if (what === "length") length = Number(text);
    else if (what === "seed") seed = Number(text);
    else if (what === "classes") classes = Number(text);
    else throw new DataError(`--data synthetic:${settings}: "${part}" is no setting; write synthetic:96x128,length=50,seed=2.`);
  }
  const fewer = classes === most ? {} : { classes };
  return {
    dataset: syntheticDataset({ task, size: { height, width }, length, seed, ...fewer }),
    name: `synthetic:${height}x${width},length=${length},seed=${seed}${classes === most ? "" : `,classes=${classes}`}`,
  };
}

/** A size of scenes that the model takes as they are. */
function sidesFor(size: ModelSpec["size"]): { height: number; width: number } {
  if (size.rule === "fixed") return { height: Math.max(16, size.height), width: Math.max(16, size.width) };
  const side = size.rule === "multiple" ? Math.ceil(usual.side / size.of) * size.of : usual.side;
  return { height: side, width: side };
}
