/**
 * COCO-Stuff (Caesar et al. 2018), in both forms in which its masks are given out:
 *
 * - `stuffthingmaps/val2017/*.png` (stuffthingmaps_trainval2017.zip): things and stuff; a pixel is COCO's number less 1 (0 to 181), 255 where nothing is said.
 * - `annotations/stuff_val2017_pixelmaps/*.png` (stuff_annotations_trainval2017.zip): stuff alone; a pixel is COCO's number (92 to 182), 183 for all things
 *   together, 0 where nothing is said.
 *
 * Classes are counted through from 0 in the order of their numbers: 171 with things, 91 without.
 */
import { join } from "node:path";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { parseLabelMap } from "../formats/label-map.js";
import { pictureFolders, picturesAmong } from "./coco-json.js";
import { type CocoClass, cocoStuffClasses, cocoThings } from "./coco-stuff-classes.js";
import { filesIn, foldersIn, isFolder, load, stem } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";
import { turnedMask } from "./turned-mask.js";

const ignoreLabel = 255;
const both = [...cocoThings, ...cocoStuffClasses];
const other: CocoClass = { id: 183, name: "other" };

/** A form of masks: COCO's number of a stored value (0 where it says nothing, undefined where it is none), and the classes by variant, the usual first. */
interface Form {
  readonly number: (stored: number) => number | undefined;
  readonly variants: Readonly<Record<string, readonly CocoClass[]>>;
}
const forms = {
  maps: {
    number: (stored) => (stored === 255 ? 0 : stored < 182 ? stored + 1 : undefined),
    variants: { classes: both, stuff: cocoStuffClasses, things: cocoThings, "ids-from-0": both },
  },
  pixelmaps: {
    number: (stored) => (stored <= other.id ? stored : stored === 255 ? 0 : undefined),
    variants: {
      stuff: cocoStuffClasses,
      "stuff-and-other": [...cocoStuffClasses, other],
      "ids-from-0": [...cocoStuffClasses, other],
    },
  },
} satisfies Record<string, Form>;

const usual = ["val2017", "val2014", "val"];

export const cocoStuff: Layout = {
  name: "coco-stuff",
  tasks: ["segmentation"],
  looksFor: "stuffthingmaps/val2017/*.png or annotations/stuff_val2017_pixelmaps/*.png, with val2017/",

  matches: async (root) => (await masksIn(root)).length > 0,

  async open(root, { split, variant }) {
    const found = await masksIn(root);
    const named = (name: string) => found.find((m) => m.split === name || m.split === `${name}2017`);
    const chosen = split === undefined ? (usual.flatMap((name) => named(name) ?? [])[0] ?? found[0]) : named(split);
    if (!chosen)
      throw new DataError(
        `${root} has no stuff masks${split === undefined ? "" : ` for the split "${split}"; it has ${found.map((m) => m.split).join(", ")}`}.`,
      );
    const form: Form = chosen.form;
    const kind = variant ?? Object.keys(form.variants)[0]!;
    const classes = Object.hasOwn(form.variants, kind) ? form.variants[kind]! : undefined;
    if (!classes)
      throw new DataError(
        `The masks in ${chosen.folder} have the variants ${Object.keys(form.variants).join(", ")}, not "${kind}".`,
      );
    // COCO's number less 1, as stuffthingmaps stores it, for models with 182 classes.
    const labelOf = new Map(classes.map(({ id }, k) => [id, kind === "ids-from-0" ? id - 1 : k]));
    const classNames = Array.from({ length: Math.max(...labelOf.values()) + 1 }, (_, k) => `class ${k}`);
    for (const { id, name } of classes) classNames[labelOf.get(id)!] = name;
    const masks = (await filesIn(chosen.folder, [".png"])).filter((name) => !/_labelTrainIds|_instanceTrainIds/.test(name));
    const pictures = await picturesAmong(pictureFolders(root, chosen.split), {
      ...{ root, split: chosen.split },
      first: masks[0] && `${stem(masks[0])}.jpg`,
    });
    return datasetOf(
      { name: "coco-stuff", task: "segmentation", classNames, ignoreLabel },
      masks,
      `${masks.length} pictures with ${classes.length} classes (${kind}), from ${chosen.folder}.`,
      async (name) => {
        const path = join(pictures, `${stem(name)}.jpg`);
        const image = await readImage(path);
        const mask = await load(join(chosen.folder, name), (bytes) =>
          parseLabelMap(bytes, (stored) => {
            const id = form.number(stored);
            return id === undefined ? undefined : (labelOf.get(id) ?? ignoreLabel);
          }),
        );
        return { id: stem(name), inputs: { image }, target: await turnedMask(mask, path, image) };
      },
    );
  },
};

interface Masks {
  readonly folder: string;
  readonly split: string;
  readonly form: Form;
}

/** Folders of masks, those with things first. */
async function masksIn(root: string): Promise<Masks[]> {
  const maps: Masks[] = [];
  for (const name of ["stuffthingmaps", "stuffthingmaps_trainval2017", join("annotations", "stuffthingmaps")])
    for (const split of await foldersIn(join(root, name)))
      maps.push({ folder: join(root, name, split), split, form: forms.maps });
  const pixelmaps: Masks[] = [];
  for (const place of [join(root, "annotations"), root])
    for (const name of await foldersIn(place)) {
      const split = /^stuff_(.*)_pixelmaps$/.exec(name)?.[1];
      if (split === undefined) continue;
      // The archive within the archive holds a folder of its own name.
      const folder = (await isFolder(place, name, name)) ? join(place, name, name) : join(place, name);
      pixelmaps.push({ folder, split, form: forms.pixelmaps });
    }
  return [...maps, ...pixelmaps];
}
