/**
 * Plain folders: pictures, with or without labels. Files belong together by their name without extension. Where pictures and labels lie and how
 * labels are read, the task says (`tasks[task].folder`).
 */
import { basename, extname, join } from "node:path";
import { tensor } from "../../../engine/tensor/tensor.js";
import { type TaskName, taskNames, tasks } from "../../tasks/index.js";
import { datasetOf, type Labelling, type Sample } from "../dataset.js";
import { DataError } from "../error.js";
import type { FolderRule, LabelFiles } from "../folder-rule.js";
import { parseLabelMap } from "../formats/label-map.js";
import { byStem, filesIn, foldersIn, isFile, isFolder, load, stem } from "./files.js";
import { readImage } from "./image-file.js";
import { type Layout, type LayoutOptions, soughtBy } from "./layout.js";
import { classIndex, readList } from "./list-file.js";
import { turnedMask } from "./turned-mask.js";

interface Entry {
  readonly id: string;
  /** Paths by input name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly label?: string;
  readonly classIndex?: number;
}

export const folder: Layout = {
  name: "folder",
  tasks: taskNames,
  looksFor: (task) =>
    `pictures in ${tasks[task].folder.arrangements.map((a) => placesOf(a, tasks[task].folder.labels)).join(", or ")}`,

  async matches(root, options) {
    return (await arrangementOf(root, options)) !== undefined;
  },

  async open(root, options) {
    const { task } = options;
    const found = await arrangementOf(root, options);
    if (!found) throw new DataError(`${root} has no pictures for ${task}: looked for ${soughtBy(folder, task)}.`);
    const { arrangement, base, beside } = found;
    const rule = tasks[task].folder;
    const { labelling, entries } =
      rule.labels.kind === "list"
        ? await classified(base, Object.entries(arrangement.inputs)[0]!, task)
        : { labelling: labellingOf(task, rule.labels), entries: await paired(base, rule, arrangement) };
    const labels = entries.some((e) => e.label !== undefined || e.classIndex !== undefined)
      ? `with labels${await oddOnes(entries, join(base, arrangement.labels ?? ""), rule.labels)}`
      : `without labels${beside.length > 0 ? ` (looked for in ${lookedIn(arrangement, rule.labels)}; there are the folders ${beside.slice(0, 6).join(", ")})` : ""}`;
    return datasetOf(
      labelling,
      entries,
      `${entries.length === 1 ? "1 sample" : `${entries.length} samples`} for ${task} from the folder ${root}, ${labels}.`,
      (e) => read(e, rule.labels),
    );
  },
};

/** Pictures without a label and labels without a picture, in words; a picture without a file of objects has none. */
async function oddOnes(entries: readonly Entry[], folder: string, files: LabelFiles): Promise<string> {
  const expected = new Set(entries.flatMap(({ label }) => (label === undefined ? [] : [basename(label)])));
  if (expected.size === 0 || files.kind === "objects") return "";
  const there = await filesIn(folder, extensionsOf(files));
  const spare = there.filter((name) => !expected.has(name));
  const lacking = [...expected].filter((name) => !there.includes(name));
  const some = (names: readonly string[]) => `${names[0]}${names.length > 1 ? ", ..." : ""}`;
  const parts = [
    ...(lacking.length > 0 ? [`${lacking.length} missing: ${some(lacking)}`] : []),
    ...(spare.length > 0 ? [`${spare.length} of no picture: ${some(spare)}`] : []),
  ];
  return parts.length > 0 ? ` (${parts.join("; ")})` : "";
}

/** Where labels were looked for, in words. */
const lookedIn = ({ labels }: Arrangement, files: LabelFiles): string =>
  files.kind === "list" || labels === undefined
    ? "labels.txt"
    : [labels, ...(alsoCalled[labels] ?? []).slice(0, 3)].map((name) => `${name}/`).join(", ");

type Arrangement = FolderRule["arrangements"][number];

/** "left/ and right/ (with labels/)" */
function placesOf({ inputs, labels }: Arrangement, { kind }: LabelFiles): string {
  const folders = Object.values(inputs).map((name) => (name === "" ? "the folder itself" : `${name}/`));
  const truth = kind === "list" ? "labels.txt" : labels && `${labels}/`;
  return `${folders.join(" and ")}${truth ? ` (with ${truth})` : ""}`;
}

/** Names by which folders of an arrangement go as well. */
const alsoCalled: Readonly<Record<string, readonly string[]>> = {
  images: ["image", "imgs", "img", "pictures"],
  labels: ["masks", "annotations", "gt", "label", "mask", "annotation", "ground_truth", "groundtruth"],
};

/** What the names of labels have behind those of their pictures. */
const suffixes = ["", "_mask", "_gt", "_label", "_labels", "_labelIds", "_seg", "-mask", "-gt", "-label"];

/** An arrangement with the folders' names as they are on disk. */
async function arrangementOf(root: string, { task, split }: LayoutOptions) {
  // "val" is the folder val/, or (as YOLO's are laid out) images/val/ with labels/val/.
  const within = split !== undefined && !(await isFolder(root, split)) ? split : ".";
  const base = split === undefined || within !== "." ? root : join(root, split);
  const there = await foldersIn(base);
  const called = (name: string) =>
    [name, ...(alsoCalled[name] ?? [])].flatMap((n) => there.find((t) => t.toLowerCase() === n) ?? [])[0] ?? name;
  const named = (name: string) => join(called(name), within);
  for (const { inputs, labels } of tasks[task].folder.arrangements) {
    const folders = Object.entries(inputs).map(([role, name]) => [role, name === "" ? within : named(name)] as const);
    const counts = await Promise.all(folders.map(async ([, name]) => (await filesIn(join(base, name))).length));
    if (!counts.every((n) => n > 0)) continue;
    const arrangement: Arrangement = {
      inputs: Object.fromEntries(folders),
      ...(labels !== undefined && { labels: named(labels) }),
    };
    return { base, arrangement, beside: there.filter((t) => !folders.some(([, name]) => name === t)) };
  }
  return undefined;
}

const labellingOf = (task: TaskName, labels: LabelFiles): Labelling & { name: string } => ({
  name: "folder",
  task,
  ...(labels.kind === "masks" && { ignoreLabel: labels.ignoreLabel, classNames: [] }),
});

/** Extensions of the files that labels are read from, the usual one first. */
const pictureExtensions = [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"];
const extensionsOf = (labels: LabelFiles): readonly string[] =>
  labels.kind === "maps"
    ? Object.keys(labels.readers)
    : labels.kind === "pictures"
      ? pictureExtensions
      : labels.kind === "masks"
        ? [".png"]
        : labels.kind === "objects"
          ? [labels.extension]
          : [];

async function paired(base: string, rule: FolderRule, arrangement: Arrangement): Promise<Entry[]> {
  const [[firstName, firstFolder], second] = Object.entries(arrangement.inputs) as [[string, string], [string, string]?];
  const first = await filesIn(join(base, firstFolder));
  const labelFolder = arrangement.labels;
  const extensions = extensionsOf(rule.labels);
  const labeled = labelFolder !== undefined && (await isFolder(base, labelFolder));
  const labels = byStem(labeled ? await filesIn(join(base, labelFolder), extensions) : []);
  const labelOf = (name: string) => suffixes.flatMap((s) => labels.get(`${stem(name)}${s}`) ?? [])[0];
  if (labeled && first.length > 0 && !first.some(labelOf))
    throw new DataError(noneFits(join(base, firstFolder), first, join(base, labelFolder), [...labels.values()], extensions));
  const partners = byStem(second ? await filesIn(join(base, second[1])) : []);

  const entryOf = (name: string, inputs: Record<string, string>): Entry => ({
    id: stem(name),
    inputs,
    ...(labeled && { label: join(base, labelFolder, labelOf(name) ?? `${stem(name)}${extensions[0]}`) }),
  });
  if (second) {
    return first.map((name) =>
      entryOf(name, {
        [firstName]: join(base, firstFolder, name),
        [second[0]]: join(base, second[1], partners.get(stem(name)) ?? name),
      }),
    );
  }
  if (rule.frames) {
    // One folder of frames: each is matched to the next.
    return first
      .slice(0, -1)
      .map((name, i) => entryOf(name, { image1: join(base, firstFolder, name), image2: join(base, firstFolder, first[i + 1]!) }));
  }
  return first.map((name) => entryOf(name, { [firstName]: join(base, firstFolder, name) }));
}

/** Says of labels that belong to no picture what is there. */
function noneFits(
  pictures: string,
  names: readonly string[],
  folder: string,
  labels: readonly string[],
  extensions: readonly string[],
): string {
  const some = (list: readonly string[]) =>
    list.length > 3 ? `${list.slice(0, 2).join(", ")} ... ${list.at(-1)}` : list.join(", ");
  if (labels.length === 0)
    return `${folder} has no file of the kind ${extensions.join(", ")}; remove the folder where the pictures have no labels.`;
  return `Not one of the ${labels.length} files in ${folder} (${some(labels)}) is named after a picture in ${pictures} (${some(names)}); a label bears its picture's name, with ${suffixes.filter(Boolean).slice(0, 4).join(", ")} behind it or nothing.`;
}

async function classified(
  base: string,
  [role, images]: readonly [string, string],
  task: TaskName,
): Promise<{ labelling: Labelling & { name: string }; entries: Entry[] }> {
  const names = await filesIn(join(base, images));
  const list = join(base, "labels.txt");
  const labels = (await isFile(list))
    ? new Map((await readList(list)).map(([name, label]) => [stem(name!), classIndex(label, list)]))
    : undefined;
  const count = labels ? Math.max(-1, ...labels.values()) + 1 : 0;
  const entries = names.map((name): Entry => {
    const label = labels?.get(stem(name));
    if (labels && label === undefined) throw new DataError(`${list} has no line for ${name}.`);
    return { id: stem(name), inputs: { [role]: join(base, images, name) }, ...(label !== undefined && { classIndex: label }) };
  });
  return { labelling: { name: "folder", task, classNames: Array.from({ length: count }, (_, i) => `${i}`) }, entries };
}

async function read({ id, inputs, label, classIndex }: Entry, labels: LabelFiles): Promise<Sample> {
  const pictures = await Promise.all(Object.entries(inputs).map(async ([name, path]) => [name, await readImage(path)] as const));
  const sample = { id, inputs: Object.fromEntries(pictures) };
  if (classIndex !== undefined) return { ...sample, target: tensor("int64", [], [classIndex]) };
  if (label === undefined) return sample;
  if (labels.kind === "masks") {
    const mask = await load(label, (bytes) => parseLabelMap(bytes));
    const picture = Object.entries(inputs)[0]!;
    return { ...sample, target: await turnedMask(mask, picture[1], sample.inputs[picture[0]]!) };
  }
  if (labels.kind === "objects") {
    const [, height, width] = Object.values(sample.inputs)[0]!.shape as [number, number, number];
    const size = { height, width };
    const target = (await isFile(label))
      ? await load(label, (bytes) => labels.read(bytes, size))
      : labels.read(new Uint8Array(), size);
    return { ...sample, target };
  }
  if (labels.kind === "maps") return { ...sample, ...(await load(label, labels.readers[extname(label).toLowerCase()]!)) };
  return { ...sample, target: await readImage(label) };
}
