/**
 * WebDataset (https://github.com/webdataset/webdataset): shards `train-000000.tar` whose members are grouped by their name up to the first dot: `key.jpg` with
 * `key.cls` (a class as text), `key.json` (with a class or the objects in it) or `key.png` (a mask). An archive is read by its headers, and of a sample only its own bytes;
 * nothing is unpacked to disk, so that what members are called does no harm.
 *
 * Names of classes come from `classnames.txt` or `classes.txt`, one a line, in the folder or beside the shards.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TaskName, tasks } from "../../tasks/index.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { type TarIndex, type TarMember, tarIndex } from "../formats/tar.js";
import { type Annotated, type BoxForm, formOf, formText, splitVariant } from "./archived-boxes.js";
import { imageExtensions, isFile, load } from "./files.js";
import { type ArchivedTruth, archivedLabelling, archivedTasks, sampleFrom, shownSize } from "./from-bytes.js";
import { type JsonObjects, parseJsonObjects } from "./json-boxes.js";
import type { Layout } from "./layout.js";
import { describeShards, type Shard, shardsAt, shardsOf } from "./shards.js";

/** One sample: where its members lie, by extension. */
interface Entry {
  readonly id: string;
  readonly shard: Shard;
  readonly members: Map<string, TarMember>;
}

export const webdataset: Layout = {
  name: "webdataset",
  tasks: archivedTasks,
  files: [".tar"],
  looksFor: "shards *.tar of key.jpg with key.cls, key.json or key.png",

  matches: async (root) => (await shardsAt(root, ".tar")).length > 0,

  async open(root, { task, split, variant }) {
    const shards = shardsOf(await shardsAt(root, ".tar"), split, root);
    const unended: string[] = [];
    const entries = shards.flatMap((shard) => {
      const { members, ended } = indexOf(shard.path);
      if (!ended) unended.push(shard.name);
      return grouped(shard, members);
    });
    const picked = entries.filter(({ members }) => pictureOf(members) !== undefined);
    if (picked.length === 0)
      throw new DataError(`${describeShards(shards, root)} have no pictures: they hold ${kindsIn(entries)}.`);
    const ofObjects = tasks[task].folder.labels.kind === "objects";
    const { where, form: said } = ofObjects ? splitVariant(variant) : { where: variant };
    const chosen = labelsFor(task, picked, where);
    const classNames = await namesOf(root, shards);
    const form = ofObjects && chosen !== undefined ? await formAmong(picked, chosen, root, said) : undefined;
    return datasetOf(
      { name: "webdataset", ...archivedLabelling(task, classNames) },
      picked,
      [
        `${picked.length === 1 ? "1 sample" : `${picked.length} samples`} for ${task} from ${describeShards(shards, root)} (WebDataset), `,
        chosen !== undefined ? `labels from .${chosen}${formText(form, said)}` : `without labels (they hold ${kindsIn(entries)})`,
        unended.length > 0
          ? `; ${unended.join(", ")} ${unended.length === 1 ? "has" : "have"} no end mark and may be cut short`
          : "",
        ".",
      ].join(""),
      async ({ id, shard, members }) => {
        const picture = pictureOf(members, chosen);
        if (picture === undefined) throw new DataError(`${id} has no picture beside .${chosen}, which is to be the truth.`);
        const truth = form
          ? await objectsOf(id, shard, members, chosen!, { form, classNames })
          : await truthOf(id, shard, members, chosen, task);
        return sampleFrom(id, task, await bytesOf(shard, members.get(picture)!), truth);
      },
    );
  },
};

function indexOf(path: string): TarIndex {
  const file = openSync(path, "r");
  try {
    const read = (offset: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    };
    return tarIndex(read, statSync(path).size);
  } catch (error) {
    if (error instanceof DataError) throw new DataError(`${path}: ${error.message}`);
    throw error;
  } finally {
    closeSync(file);
  }
}

async function bytesOf({ path }: Shard, { offset, size }: TarMember): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const bytes = new Uint8Array(size);
    const { bytesRead } = await file.read(bytes, 0, size, offset);
    if (bytesRead < size) throw new DataError(`${path} has become shorter since it was opened.`);
    return bytes;
  } finally {
    await file.close();
  }
}

/** Members by their name up to the first dot after the last slash, in the order in which names appear. */
function grouped(shard: Shard, members: readonly TarMember[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const member of members) {
    const slash = member.name.lastIndexOf("/") + 1;
    const dot = member.name.indexOf(".", slash);
    // Hidden files are left out, and files without an extension.
    if (dot <= slash) continue;
    const key = idOf(member.name.slice(0, dot));
    const extension = member.name.slice(dot + 1).toLowerCase();
    const entry = entries.get(key) ?? { id: `${shard.name}/${key}`, shard, members: new Map<string, TarMember>() };
    entries.set(key, entry);
    if (entry.members.has(extension)) throw new DataError(`${shard.path} has ${key}.${extension} twice.`);
    entry.members.set(extension, member);
  }
  return [...entries.values()];
}

/** A member's name as a sample's name: without what would lead out of a folder, and without control characters. */
function idOf(name: string): string {
  const parts = name.split(/[/\\]+/).filter((part) => part !== "" && part !== ".");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return parts.map((part) => (part === ".." ? "_" : part.replace(/[\u0000-\u001f\u007f]/g, "_"))).join("/");
}

/** Extensions of pictures as members have them, the likeliest first. */
const pictures = imageExtensions.map((e) => e.slice(1));
const isPicture = (extension: string): boolean => pictures.includes(extension.split(".").at(-1)!);
/** Extensions of truth, before their last part: "mask.png". */
const truthWords = ["mask", "seg", "label", "labels", "segmentation", "annotation", "target", "gt", "clean", "sharp"];
const isTruth = (extension: string): boolean => truthWords.includes(extension.split(".")[0]!);

/** The extension of a sample's picture: jpg before png, which may be the mask; never one that says it is the truth. */
function pictureOf(members: Entry["members"], taken?: string): string | undefined {
  const possible = [...members.keys()].filter((e) => isPicture(e) && !isTruth(e) && e !== taken);
  const order = (e: string) => pictures.indexOf(e.split(".").at(-1)!) + (e.includes(".") ? 0.5 : 0);
  return possible.sort((a, b) => order(a) - order(b))[0];
}

/** Extensions that hold a class, the likeliest first. */
const classWords = ["cls", "cls.txt", "label", "label.txt", "class", "class.txt", "json"];

/**
 * The extension that holds the truth, where any sample has one.
 *
 * @throws DataError where the variant names one that is not there.
 */
function labelsFor(task: TaskName, entries: readonly Entry[], variant: string | undefined): string | undefined {
  const there = new Set(entries.flatMap(({ members }) => [...members.keys()]));
  if (variant !== undefined) {
    const name = variant.replace(/^\./, "").toLowerCase();
    if (!there.has(name.split(":")[0]!))
      throw new DataError(
        `The samples have no .${name}; they hold ${kindsIn(entries)}. The variant names the extension of the truth.`,
      );
    return name;
  }
  if (tasks[task].folder.labels.kind === "list") return classWords.find((e) => there.has(e));
  if (tasks[task].folder.labels.kind === "objects") return there.has("json") ? "json" : undefined;
  const named = [...there].filter((e) => isPicture(e) && isTruth(e)).sort((a, b) => truthRank(a) - truthRank(b));
  if (named.length > 0) return named[0];
  // Two pictures of a sample: the second is the truth.
  for (const { members } of entries) {
    const second = pictureOf(members, pictureOf(members));
    if (second !== undefined) return second;
  }
  return undefined;
}
const truthRank = (extension: string): number => truthWords.indexOf(extension.split(".")[0]!);

async function truthOf(
  id: string,
  shard: Shard,
  members: Entry["members"],
  chosen: string | undefined,
  task: TaskName,
): Promise<ArchivedTruth | undefined> {
  if (chosen === undefined) return undefined;
  const [extension, field] = chosen.split(":") as [string, string?];
  const member = members.get(extension);
  if (!member) throw new DataError(`${id} has no .${extension}; it has ${[...members.keys()].map((e) => `.${e}`).join(", ")}.`);
  const bytes = await bytesOf(shard, member);
  if (tasks[task].folder.labels.kind !== "list") return { bytes };
  const said = new TextDecoder().decode(bytes).trim();
  return { classIndex: extension.endsWith("json") ? classIn(said, field, id) : classNumber(said, `${id}.${extension}`) };
}

/** The objects that a sample's JSON file holds. @throws DataError with the sample's name. */
async function jsonObjects(id: string, shard: Shard, members: Entry["members"], chosen: string): Promise<JsonObjects> {
  const [extension, field] = chosen.split(":") as [string, string?];
  const member = members.get(extension);
  if (!member) throw new DataError(`${id} has no .${extension}; it has ${[...members.keys()].map((e) => `.${e}`).join(", ")}.`);
  try {
    return parseJsonObjects(new TextDecoder().decode(await bytesOf(shard, member)), field);
  } catch (error) {
    throw error instanceof DataError ? new DataError(`${id}.${extension}: ${error.message}`) : error;
  }
}

const objectsOf = async (
  id: string,
  shard: Shard,
  members: Entry["members"],
  chosen: string,
  read: { readonly form: BoxForm; readonly classNames: readonly string[] | undefined },
): Promise<ArchivedTruth> => ({ ...(await jsonObjects(id, shard, members, chosen)), ...read });

/** As many boxes are looked at, of as many samples at most, to tell their form. */
const looked = { boxes: 200, samples: 400 };

/** The form of the boxes, by those of the first samples; what is damaged shows in its own sample. */
async function formAmong(entries: readonly Entry[], chosen: string, root: string, said: BoxForm | undefined): Promise<BoxForm> {
  const all: Annotated[] = [];
  let boxes = 0;
  let trouble: DataError | undefined;
  for (const { id, shard, members } of entries.slice(0, looked.samples)) {
    if (boxes >= looked.boxes) break;
    try {
      const { objects, ...found } = await jsonObjects(id, shard, members, chosen);
      const size = found.size ?? (await shownSize(await bytesOf(shard, members.get(pictureOf(members, chosen)!)!)));
      if (size) all.push({ objects, size });
      boxes += objects.length;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      trouble ??= error;
    }
  }
  // Where not one file can be read, the reason is not the form.
  if (all.length === 0 && trouble) throw trouble;
  return formOf(all, root, said);
}

/** Fields of a JSON file that hold a class, the likeliest first. */
const fields = ["label", "cls", "class", "class_id", "class_index", "target"];

function classIn(json: string, field: string | undefined, id: string): number {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new DataError(`${id}.json is not valid JSON.`);
  }
  if (typeof value === "number") return classNumber(String(value), `${id}.json`);
  const record = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const name = field ?? fields.find((f) => Object.hasOwn(record, f));
  if (name === undefined || !Object.hasOwn(record, name))
    throw new DataError(
      `${id}.json has no ${field ?? fields.join(", ")}; it has ${Object.keys(record).slice(0, 8).join(", ") || "no fields"}. Name the field of the class with the variant json:FIELD.`,
    );
  return classNumber(String(record[name]), `${id}.json, ${name}`);
}

function classNumber(text: string, where: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new DataError(`${where}: a class is a whole number from 0, not ${JSON.stringify(text.slice(0, 40))}.`);
  return Number(text);
}

/** ".jpg (40), .cls (40)" */
function kindsIn(entries: readonly Entry[]): string {
  const counts = new Map<string, number>();
  for (const { members } of entries) for (const e of members.keys()) counts.set(e, (counts.get(e) ?? 0) + 1);
  const some = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 6);
  return some.map(([e, n]) => `.${e} (${n})`).join(", ") || "nothing with an extension";
}

async function namesOf(root: string, shards: readonly Shard[]): Promise<string[] | undefined> {
  const beside = dirname(shards[0]!.path);
  for (const folder of [root, beside])
    for (const name of ["classnames.txt", "classes.txt"]) {
      const path = join(folder, name);
      if (!(await isFile(path))) continue;
      const text = await load(path, (bytes) => new TextDecoder().decode(bytes));
      return text
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter(Boolean);
    }
  return undefined;
}
