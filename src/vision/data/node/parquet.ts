/**
 * Data sets of pictures as Parquet, as Hugging Face has them: shards `train-00000-of-00005.parquet` with a column `image` of `{ bytes, path }` and a class
 * (`label`), a mask (`annotation`) or a clean picture beside it. Names of classes stand in the footer, under "huggingface". A group of rows is read at a
 * time, and the last ones are kept.
 *
 * The variant names the column of the truth where there are several (CIFAR-100's `fine_label` and `coarse_label`).
 */
import { posix } from "node:path";
import { type TaskName, tasks } from "../../tasks/index.js";
import { datasetOf, type Sample } from "../dataset.js";
import { DataError } from "../error.js";
import { stem } from "./files.js";
import { type ArchivedTruth, archivedLabelling, archivedTasks, sampleFrom } from "./from-bytes.js";
import type { Layout } from "./layout.js";
import { type Column, openParquet, type ParquetFile, type Row } from "./parquet-file.js";
import { describeShards, type Shard, shardsAt, shardsOf } from "./shards.js";

export const parquet: Layout = {
  name: "parquet",
  tasks: archivedTasks,
  files: [".parquet"],
  looksFor: "shards *.parquet with a column of pictures, in the folder or in data/",

  matches: async (root) => (await shardsAt(root, ".parquet")).length > 0,

  async open(root, { task, split, variant }) {
    const shards = shardsOf(await shardsAt(root, ".parquet"), split, root);
    const files = await Promise.all(shards.map(({ path }) => openParquet(path)));
    const features = featuresOf(files[0]!);
    const picture = pictureColumn(files[0]!, features);
    const truth = truthColumn(files[0]!, features, picture, task, variant);
    const columns = [picture, ...(truth === undefined ? [] : [truth])];
    for (const file of files) {
      const missing = columns.find((name) => !file.columns.some((c) => c.name === name));
      if (missing !== undefined) throw new DataError(`${file.path} has no column ${missing}, which ${files[0]!.path} has.`);
      file.checkCodecs(columns);
    }
    const entries = files.flatMap((file, f) => Array.from({ length: file.rows }, (_, row) => ({ file, shard: shards[f]!, row })));
    const names = truth === undefined ? undefined : features.get(truth)?.names;
    const rows = lastGroups(columns);
    return datasetOf(
      { name: "parquet", ...archivedLabelling(task, names) },
      entries,
      `${entries.length} samples for ${task} from ${describeShards(shards, root)} (Parquet), pictures from the column ${picture}, ${truth === undefined ? `without labels (columns: ${files[0]!.columns.map((c) => c.name).join(", ")})` : `labels from ${truth}`}.`,
      async ({ file, shard, row }) => sampleOf(await rows(file, row), { shard, row, picture, truth, task }),
    );
  },
};

interface Place {
  readonly shard: Shard;
  readonly row: number;
  readonly picture: string;
  readonly truth: string | undefined;
  readonly task: TaskName;
}

async function sampleOf(values: Row, { shard, row, picture, truth, task }: Place): Promise<Sample> {
  const at = `${shard.name}/${row}`;
  const { bytes, path } = fileIn(values[picture], `${at}: the column ${picture}`);
  const id = path === undefined ? at : `${at}-${stem(posix.basename(path.replaceAll("\\", "/")))}`;
  return sampleFrom(id, task, bytes, truth === undefined ? undefined : truthIn(values[truth], truth, id, task));
}

/** A picture as a column holds it. */
function fileIn(value: unknown, where: string): { readonly bytes: Uint8Array; readonly path?: string } {
  const record = value instanceof Uint8Array ? { bytes: value } : ((value ?? {}) as Record<string, unknown>);
  const path = record.path instanceof Uint8Array ? new TextDecoder().decode(record.path) : record.path;
  const named = typeof path === "string" && path !== "" ? path : undefined;
  if (!(record.bytes instanceof Uint8Array))
    throw new DataError(
      named === undefined
        ? `${where} is empty.`
        : `${where} holds the path ${named} alone, not the picture: write the data set with its pictures embedded.`,
    );
  return { bytes: record.bytes, ...(named !== undefined && { path: named }) };
}

/** Hugging Face's data sets say -1 where the class is not given out; such a sample has no truth. */
function truthIn(value: unknown, column: string, id: string, task: TaskName): ArchivedTruth | undefined {
  if (tasks[task].folder.labels.kind !== "list") return fileIn(value, `${id}: the column ${column}`);
  const label = Number(value ?? -1);
  if (label === -1) return undefined;
  if (!Number.isSafeInteger(label) || label < 0)
    throw new DataError(`${id}: the column ${column} holds ${label}, and a class is a whole number from 0.`);
  return { classIndex: label };
}

interface Feature {
  readonly type: string | undefined;
  readonly names: readonly string[] | undefined;
}

/** What the footer says of columns, under "huggingface": { info: { features: { label: { _type: "ClassLabel", names } } } } */
function featuresOf({ notes }: ParquetFile): ReadonlyMap<string, Feature> {
  let value: unknown;
  try {
    value = JSON.parse(notes.get("huggingface") ?? "{}");
  } catch {
    value = {};
  }
  const features =
    (value as { info?: { features?: Record<string, { _type?: unknown; names?: unknown } | null> } } | null)?.info?.features ?? {};
  return new Map(
    Object.entries(features).map(([name, feature]) => {
      const names =
        Array.isArray(feature?.names) && feature.names.every((n) => typeof n === "string") ? feature.names : undefined;
      return [name, { type: typeof feature?._type === "string" ? feature._type : undefined, names }];
    }),
  );
}

/** Usual names of columns, the likeliest first. */
const usual = {
  picture: ["image", "img", "picture", "photo", "jpg", "png", "input", "lq", "noisy", "blur", "blurred"],
  list: ["label", "labels", "cls", "class", "fine_label", "target", "category"],
  masks: [
    "annotation",
    "mask",
    "label",
    "labels",
    "segmentation",
    "segmentation_mask",
    "semantic_segmentation",
    "annotated",
    "seg",
  ],
  pictures: ["target", "gt", "clean", "sharp", "hq", "ground_truth"],
} as const;

const mayBePicture = ({ name, holds }: Column, features: ReadonlyMap<string, Feature>): boolean =>
  holds === "file" || holds === "bytes" || features.get(name)?.type === "Image";

const listed = (columns: readonly Column[]): string => columns.map((c) => c.name).join(", ");

function pictureColumn({ path, columns }: ParquetFile, features: ReadonlyMap<string, Feature>): string {
  const possible = columns.filter((c) => mayBePicture(c, features));
  const named = usual.picture.find((name) => possible.some((c) => c.name === name));
  const found = named ?? possible.find((c) => ![...usual.masks, ...usual.pictures].some((name) => name === c.name))?.name;
  if (found === undefined)
    throw new DataError(`${path} has no column of pictures (bytes, or bytes with a path); its columns are ${listed(columns)}.`);
  return found;
}

/** The column of the truth; undefined where there is none. */
function truthColumn(
  { path, columns }: ParquetFile,
  features: ReadonlyMap<string, Feature>,
  picture: string,
  task: TaskName,
  variant: string | undefined,
): string | undefined {
  const kind = tasks[task].folder.labels.kind as "list" | "masks" | "pictures";
  const fits = (c: Column) => c.name !== picture && (kind === "list" ? c.holds === "integer" : mayBePicture(c, features));
  const possible = columns.filter(fits);
  if (variant !== undefined) {
    if (possible.some((c) => c.name === variant)) return variant;
    throw new DataError(
      `${path} has no column ${variant} that holds ${kind === "list" ? "classes" : "pictures"}; its columns are ${listed(columns)}. The variant names the column of the truth.`,
    );
  }
  const named = usual[kind].find((name) => possible.some((c) => c.name === name));
  if (named !== undefined) return named;
  const classes = possible.filter((c) => features.get(c.name)?.type === "ClassLabel");
  if (kind === "list" && classes.length > 0) return classes[0]!.name;
  if (possible.length > 1)
    throw new DataError(
      `${path}: the truth for ${task} may be ${possible.map((c) => c.name).join(" or ")}; say which with --variant.`,
    );
  // A lone number may be anything: an index, a year.
  return kind === "list" ? undefined : possible[0]?.name;
}

/** Reads rows by their groups; the last two groups are kept, so that rows in order cost one reading for a group. */
function lastGroups(columns: readonly string[]): (file: ParquetFile, row: number) => Promise<Row> {
  const kept = new Map<string, Promise<readonly Row[]>>();
  return async (file, row) => {
    const index = file.groups.findLastIndex((first) => first <= row);
    const key = `${index} ${file.path}`;
    const group = kept.get(key) ?? file.group(index, columns);
    kept.delete(key);
    kept.set(key, group);
    for (const old of [...kept.keys()].slice(0, -2)) kept.delete(old);
    return (await group)[row - file.groups[index]!]!;
  };
}
