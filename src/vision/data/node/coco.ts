/**
 * COCO's object detection: `annotations/instances_val2017.json` with the pictures in `val2017/` (or `images/val2017/`, `images/`), and what others export
 * in that form: `_annotations.coco.json` beside the pictures. Objects are boxes with a class; crowds count neither way.
 *
 * COCO's category numbers have gaps (1 to 90 for 80 classes). Classes are counted through from 0 in their order, as most detectors have them; the
 * variant "ids" keeps the numbers, for models with 91 classes (DETR, torchvision).
 */
import { join } from "node:path";
import { z } from "zod";
import { listOf, state } from "../../tasks/detection/boxes.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { pictureFolders, picturesAmong, readAnnotations } from "./coco-json.js";
import { filesIn, isFile } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";
import { turnedBoxes } from "./turned-boxes.js";

const side = z.number().nonnegative();
const file = z.object({
  images: z.array(z.object({ id: z.number(), file_name: z.string(), width: side, height: side })),
  annotations: z.array(
    z.object({
      image_id: z.number(),
      category_id: z.number().int(),
      bbox: z.tuple([z.number(), z.number(), side, side]),
      // of the outline
      area: z.number().optional(),
      iscrowd: z.union([z.literal(0), z.literal(1), z.boolean()]).optional(),
    }),
  ),
  categories: z.array(z.object({ id: z.number().int(), name: z.string() })).min(1),
});

/** The split that is taken where none is named, where it is there. */
const usual = ["val2017", "val2014", "val", "valid", "test"];

export const coco: Layout = {
  name: "coco",
  tasks: ["detection"],
  looksFor:
    "annotations/instances_val2017.json with val2017/; or _annotations.coco.json beside the pictures, in the folder or in valid/",

  async matches(root) {
    return (await annotationsIn(root)).length > 0;
  },

  async open(root, { split, variant = "classes" }) {
    if (variant !== "classes" && variant !== "ids")
      throw new DataError(
        `COCO has the variants "classes" (counted through from 0) and "ids" (COCO's own numbers), not "${variant}".`,
      );
    const found = await annotationsIn(root);
    const named = (name: string) => found.find((a) => a.split === name || a.split === `${name}2017`);
    const chosen = split === undefined ? (usual.flatMap((name) => named(name) ?? [])[0] ?? found[0]) : named(split);
    if (!chosen)
      throw new DataError(`${root} has no annotations for the split "${split}"; it has ${found.map((a) => a.split).join(", ")}.`);
    const { images, annotations, categories } = await readAnnotations(chosen.path, file, "object detection");
    const sorted = [...categories].sort((a, b) => a.id - b.id);
    const labelOf = new Map(sorted.map(({ id }, k) => [id, variant === "ids" ? id : k]));
    const classNames: string[] = [];
    for (const { id, name } of sorted) classNames[labelOf.get(id)!] = name;
    for (let k = 0; k < classNames.length; k++) classNames[k] ??= `class ${k}`;
    const objects = new Map<number, (typeof annotations)[number][]>();
    for (const a of annotations) {
      if (!labelOf.has(a.category_id))
        throw new DataError(`${chosen.path} has an object of category ${a.category_id}, which is none of its categories.`);
      const list = objects.get(a.image_id);
      if (list) list.push(a);
      else objects.set(a.image_id, [a]);
    }
    const pictures = await picturesAmong(chosen.pictures, { root, split: chosen.split, first: images[0]?.file_name });
    const entries = [...images].sort((a, b) => a.id - b.id);
    return datasetOf(
      { name: "coco", task: "detection", classNames },
      entries,
      `${entries.length} pictures with ${annotations.length} objects of ${categories.length} classes, from ${chosen.path}.`,
      async ({ id, file_name, width, height }) => {
        const path = join(pictures, file_name);
        const image = await readImage(path);
        const list = listOf(
          (objects.get(id) ?? []).map(({ bbox: [x, y, w, h], area, category_id, iscrowd }) => ({
            ...{ x1: x, y1: y, x2: x + w, y2: y + h, label: labelOf.get(category_id)! },
            state: iscrowd ? state.crowd : state.object,
            ...(area !== undefined && { covers: area }),
          })),
        );
        return {
          id: file_name.replace(/\.\w+$/, ""),
          inputs: { image },
          target: await turnedBoxes(list, path, { height, width }, image),
        };
      },
    );
  },
};

interface Annotations {
  readonly path: string;
  readonly split: string;
  /** Where pictures may lie, the likeliest first. */
  readonly pictures: readonly string[];
}

/** Files of annotations, by their split. */
async function annotationsIn(root: string): Promise<Annotations[]> {
  const instances = (await filesIn(join(root, "annotations"), [".json"])).filter((name) => /^instances.*\.json$/.test(name));
  const beside: Annotations[] = [];
  for (const folder of [".", ...usual, "train"]) {
    const path = join(root, folder, "_annotations.coco.json");
    if (await isFile(path)) beside.push({ path, split: folder === "." ? "all" : folder, pictures: [join(root, folder)] });
  }
  return [
    ...instances.map((name) => {
      const split = name.replace(/^instances_?/, "").replace(/\.json$/, "") || "all";
      return { path: join(root, "annotations", name), split, pictures: pictureFolders(root, split) };
    }),
    ...beside,
  ];
}
