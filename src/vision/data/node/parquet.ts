/**
 * Data sets of pictures as Parquet, as Hugging Face has them: shards `train-00000-of-00005.parquet` with a column `image` of `{ bytes, path }` and a class
 * (`label`), a mask (`annotation`) or a clean picture beside it. Names of classes stand in the footer, under "huggingface". A group of rows is read at a
 * time, and the last ones are kept.
 *
 * The variant names the column of the truth where there are several (CIFAR-100's `fine_label` and `coarse_label`), and of objects (`objects`) what the numbers of their boxes are.
 */
import { posix } from "node:path";
import { type TaskName, tasks } from "../../tasks/index.js";
import { datasetOf, type Sample } from "../dataset.js";
import { DataError } from "../error.js";
import {
  type Annotated,
  type BoxForm,
  categoryField,
  formOf,
  formText,
  type PictureSize,
  splitVariant,
  type Written,
  writtenObjects,
} from "./archived-boxes.js";
import { stem } from "./files.js";
import { type ArchivedTruth, archivedLabelling, archivedTasks, sampleFrom, shownSize } from "./from-bytes.js";
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
    const { where, form: said } = tasks[task].folder.labels.kind === "objects" ? splitVariant(variant) : { where: variant };
    const shards = shardsOf(await shardsAt(root, ".parquet"), split, root);
    const files = await Promise.all(shards.map(({ path }) => openParquet(path)));
    const features = featuresOf(files[0]!);
    const picture = pictureColumn(files[0]!, features);
    const truth = truthColumn(files[0]!, features, picture, task, where);
    const objects = truth !== undefined && columnNamed(files[0]!, truth).holds === "objects";
    const sides = objects ? sidesOf(files[0]!) : [];
    const columns = [picture, ...(truth === undefined ? [] : [truth]), ...sides];
    for (const file of files) {
      const missing = columns.find((name) => !file.columns.some((c) => c.name === name));
      if (missing !== undefined) throw new DataError(`${file.path} has no column ${missing}, which ${files[0]!.path} has.`);
      file.checkCodecs(columns);
    }
    const entries = files.flatMap((file, f) => Array.from({ length: file.rows }, (_, row) => ({ file, shard: shards[f]!, row })));
    const names = truth === undefined ? undefined : namesIn(features.get(truth), columnNamed(files[0]!, truth));
    const rows = lastGroups(columns);
    const read = { picture, truth, sides, task, names };
    const form = objects ? await formAmong(entries, rows, { ...read, where: root, said }) : undefined;
    return datasetOf(
      { name: "parquet", ...archivedLabelling(task, names) },
      entries,
      `${entries.length} samples for ${task} from ${describeShards(shards, root)} (Parquet), pictures from the column ${picture}, ${truth === undefined ? `without labels (columns: ${files[0]!.columns.map((c) => c.name).join(", ")})` : `labels from ${truth}${formText(form, said)}`}.`,
      async ({ file, shard, row }) => sampleOf(await rows(file, row), { ...read, shard, row, form }),
    );
  },
};

/** What is read of a row. */
interface Read {
  readonly picture: string;
  readonly truth: string | undefined;
  /** Columns of the height and width of the picture as it was annotated; empty where there are none. */
  readonly sides: readonly string[];
  readonly task: TaskName;
  readonly names: readonly string[] | undefined;
}

interface Place extends Read {
  readonly shard: Shard;
  readonly row: number;
  /** Of boxes, where the truth is such. */
  readonly form: BoxForm | undefined;
}

async function sampleOf(values: Row, place: Place): Promise<Sample> {
  const { shard, row, picture, task } = place;
  const at = `${shard.name}/${row}`;
  const { bytes, path } = fileIn(values[picture], `${at}: the column ${picture}`);
  const id = path === undefined ? at : `${at}-${stem(posix.basename(path.replaceAll("\\", "/")))}`;
  return sampleFrom(id, task, bytes, truthOf(values, id, place));
}

function truthOf(values: Row, id: string, { truth, task, form, sides, names }: Place): ArchivedTruth | undefined {
  if (truth === undefined) return undefined;
  if (form === undefined) return truthIn(values[truth], truth, id, task);
  // A split whose objects are not given out has none.
  if (values[truth] === undefined || values[truth] === null) return undefined;
  return { objects: objectsIn(values[truth], id), form, size: sizeIn(values, sides), classNames: names };
}

/** The objects of a row. @throws DataError with the sample's name. */
function objectsIn(value: unknown, id: string): Written[] {
  try {
    return writtenObjects(value);
  } catch (error) {
    throw error instanceof DataError ? new DataError(`${id}: ${error.message}`) : error;
  }
}

const sizeIn = (values: Row, [height, width]: readonly string[]): PictureSize | undefined =>
  height === undefined || width === undefined ? undefined : { height: Number(values[height]), width: Number(values[width]) };

/** As many boxes are looked at, of as many rows at most, to tell their form. */
const looked = { boxes: 200, rows: 400 };

/** The form of the boxes, by those of the first rows. */
async function formAmong(
  entries: readonly { readonly file: ParquetFile; readonly row: number }[],
  rows: (file: ParquetFile, row: number) => Promise<Row>,
  { picture, truth, sides, where, said }: Read & { readonly where: string; readonly said: BoxForm | undefined },
): Promise<BoxForm> {
  const all: Annotated[] = [];
  let boxes = 0;
  for (const { file, row } of entries.slice(0, looked.rows)) {
    if (boxes >= looked.boxes) break;
    const values = await rows(file, row);
    const objects = objectsIn(values[truth!], `${where}, row ${row}`);
    if (objects.length === 0) continue;
    const size = sizeIn(values, sides) ?? (await shownSize(fileIn(values[picture], `${where}, row ${row}`).bytes));
    if (size) all.push({ objects, size });
    boxes += objects.length;
  }
  return formOf(all, where, said);
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
  readonly written: unknown;
}

/** The names of the classes: of a column, or of the field of a column of objects that holds the class. */
function namesIn(feature: Feature | undefined, { fields }: Column): readonly string[] | undefined {
  const category = fields && categoryField(fields);
  return category === undefined ? feature?.names : namesBelow(feature?.written, category);
}

/** Names in the description of a field, at whatever depth below: `[{ category: ClassLabel }]`, `{ feature: { category: { feature: ClassLabel } } }`. */
function namesBelow(written: unknown, field: string | undefined): readonly string[] | undefined {
  if (typeof written !== "object" || written === null) return undefined;
  if (field === undefined && "names" in written) return textsIn(written.names);
  for (const [name, value] of Object.entries(written)) {
    const found = namesBelow(value, name === field ? undefined : field);
    if (found) return found;
  }
  return undefined;
}

const textsIn = (names: unknown): readonly string[] | undefined =>
  Array.isArray(names) && names.every((n) => typeof n === "string") ? names : undefined;

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
      const type = typeof feature?._type === "string" ? feature._type : undefined;
      return [name, { type, names: textsIn(feature?.names), written: feature }];
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
  objects: ["objects", "annotations", "annotation", "labels", "target"],
} as const;

const columnNamed = ({ columns }: ParquetFile, name: string): Column => columns.find((c) => c.name === name)!;

/** The columns that say the size of the picture, height first; none where they are not both there. */
const sidesOf = ({ columns }: ParquetFile): string[] => {
  const sides = ["height", "width"].filter((side) => columns.some((c) => c.name === side && c.holds === "integer"));
  return sides.length === 2 ? sides : [];
};

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
  const kind = tasks[task].folder.labels.kind as "list" | "masks" | "pictures" | "objects";
  const whatHolds = { list: "classes", masks: "pictures", pictures: "pictures", objects: "boxes with their classes" }[kind];
  const fits = (c: Column) =>
    c.name !== picture &&
    (kind === "list" ? c.holds === "integer" : kind === "objects" ? c.holds === "objects" : mayBePicture(c, features));
  const possible = columns.filter(fits);
  if (variant !== undefined) {
    if (possible.some((c) => c.name === variant)) return variant;
    throw new DataError(
      `${path} has no column ${variant} that holds ${whatHolds}; its columns are ${listed(columns)}. The variant names the column of the truth.`,
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
