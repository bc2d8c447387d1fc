/**
 * COCO's panoptic segmentation, as classes of pixels: `annotations/panoptic_val2017.json`, its masks unpacked to `annotations/panoptic_val2017/*.png`, the
 * pictures in `val2017/`. A mask's color is the number of a segment, R + 256 G + 256² B; the JSON says of which category a segment is. Number 0 is void and
 * ignored. (https://cocodataset.org/#format-data; Cityscapes and ADE20K are given in this form too.)
 *
 * Categories are counted through from 0 in the order of their numbers: 133 classes, the 80 things first, as panoptic and semantic models of COCO have them.
 */
import { basename, join } from "node:path";
import { z } from "zod";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { decodePng } from "../formats/png.js";
import { pictureFolders, picturesAmong, readAnnotations } from "./coco-json.js";
import { filesIn, isFolder, load } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";
import { turnedMask } from "./turned-mask.js";

const file = z.object({
  images: z.array(z.object({ id: z.union([z.number(), z.string()]), file_name: z.string() })),
  annotations: z.array(
    z.object({
      image_id: z.union([z.number(), z.string()]),
      file_name: z.string(),
      segments_info: z.array(z.object({ id: z.number().int().positive(), category_id: z.number().int() })),
    }),
  ),
  categories: z
    .array(
      z.object({
        id: z.number().int().nonnegative(),
        name: z.string(),
        isthing: z.union([z.literal(0), z.literal(1), z.boolean()]).optional(),
      }),
    )
    .min(1),
});
type Category = z.infer<typeof file>["categories"][number];

/** Which categories are classes; pixels of the others are ignored. */
const variants: Readonly<Record<string, (category: Category) => boolean>> = {
  classes: () => true,
  things: ({ isthing }) => Boolean(isthing),
  stuff: ({ isthing }) => isthing !== undefined && !isthing,
  ids: () => true,
};

const usual = ["val2017", "val"];

export const cocoPanoptic: Layout = {
  name: "coco-panoptic",
  tasks: ["segmentation"],
  looksFor: "annotations/panoptic_val2017.json with annotations/panoptic_val2017/*.png and val2017/",

  matches: async (root) => (await annotationsIn(root)).length > 0,

  async open(root, { split, variant = "classes" }) {
    const counts = Object.hasOwn(variants, variant) ? variants[variant] : undefined;
    if (!counts)
      throw new DataError(
        `COCO's panoptic masks have the variants classes (things and stuff, counted through from 0), things, stuff and ids (COCO's own numbers), not "${variant}".`,
      );
    const found = await annotationsIn(root);
    const named = (name: string) => found.find((a) => a.split === name || a.split === `${name}2017`);
    const chosen = split === undefined ? (usual.flatMap((name) => named(name) ?? [])[0] ?? found[0]) : named(split);
    if (!chosen)
      throw new DataError(
        `${root} has no panoptic annotations${split === undefined ? "" : ` for the split "${split}"; it has ${found.map((a) => a.split).join(", ")}`}.`,
      );
    const { images, annotations, categories } = await readAnnotations(chosen.path, file, "panoptic segmentation");
    const masks = await masksOf(root, chosen.path);
    const classes = [...categories].filter(counts).sort((a, b) => a.id - b.id);
    if (classes.length === 0) throw new DataError(`${chosen.path} has no category that is ${variant} (isthing).`);
    const labelOf = new Map(classes.map(({ id }, k) => [id, variant === "ids" ? id : k]));
    const classNames = Array.from({ length: Math.max(...labelOf.values()) + 1 }, (_, k) => `class ${k}`);
    for (const { id, name } of classes) classNames[labelOf.get(id)!] = name;
    const ignoreLabel = classNames.length > 255 ? 65535 : 255;
    const known = new Set(categories.map(({ id }) => id));
    const nameOf = new Map(images.map((image) => [image.id, image.file_name]));
    const pictures = await picturesAmong(pictureFolders(root, chosen.split), {
      ...{ root, split: chosen.split },
      first: images[0]?.file_name,
    });
    const left = categories.length - classes.length;
    return datasetOf(
      { name: "coco-panoptic", task: "segmentation", classNames, ignoreLabel },
      annotations,
      `${annotations.length} pictures with ${classes.length} classes (${variant}${left > 0 ? `; the other ${left} are ignored` : ""}), from ${chosen.path}.`,
      async ({ image_id, file_name, segments_info }) => {
        const name = nameOf.get(image_id);
        if (name === undefined) throw new DataError(`${chosen.path} has masks of image ${image_id}, but no such image.`);
        const labels = new Map([[0, ignoreLabel]]);
        for (const { id, category_id } of segments_info) {
          if (!known.has(category_id))
            throw new DataError(`${chosen.path} has a segment of category ${category_id}, which is none of its categories.`);
          labels.set(id, labelOf.get(category_id) ?? ignoreLabel);
        }
        const path = join(pictures, name);
        const image = await readImage(path);
        const mask = await load(join(masks, file_name), (bytes) => parsePanoptic(bytes, labels));
        return { id: name.replace(/\.\w+$/, ""), inputs: { image }, target: await turnedMask(mask, path, image) };
      },
    );
  },
};

/**
 * A mask of segments as labels, int32 [H, W].
 *
 * @param labels by the number of a segment.
 * @throws DataError where the mask holds no colors, or a segment that has no label.
 */
export function parsePanoptic(bytes: Uint8Array, labels: ReadonlyMap<number, number>): Tensor<"int32"> {
  const { width, height, data, channels, color, depth } = decodePng(bytes);
  if ((color !== "rgb" && color !== "rgb-alpha") || depth !== 8)
    throw new DataError(`a panoptic mask holds numbers of segments as 8-bit RGB; this one is ${depth}-bit ${color}.`);
  const target = new Int32Array(width * height);
  // Neighbors are mostly of one segment.
  let [segment, label] = [-1, 0];
  for (let i = 0, at = 0; i < target.length; i++, at += channels) {
    const id = data[at]! + 256 * data[at + 1]! + 65536 * data[at + 2]!;
    if (id !== segment) {
      const found = labels.get(id);
      if (found === undefined) throw new DataError(`the mask holds segment ${id}, of which the annotations say nothing.`);
      [segment, label] = [id, found];
    }
    target[i] = label;
  }
  return tensor("int32", [height, width], target);
}

/** Files of annotations, by their split: `panoptic_val2017.json` in `annotations/` or in the folder itself. */
async function annotationsIn(root: string): Promise<{ readonly path: string; readonly split: string }[]> {
  const places = await Promise.all(
    [join(root, "annotations"), root].map(async (folder) =>
      (await filesIn(folder, [".json"])).filter((name) => /panoptic/.test(name)).map((name) => join(folder, name)),
    ),
  );
  return places.flat().map((path) => ({ path, split: basename(path, ".json").replace(/^.*panoptic_?/, "") || "all" }));
}

/** The folder of masks: named like the annotations, beside them or in the folder itself. */
async function masksOf(root: string, annotations: string): Promise<string> {
  const name = basename(annotations, ".json");
  for (const folder of [annotations.replace(/\.json$/, ""), join(root, name)]) {
    if ((await filesIn(folder, [".png"])).length > 0) return folder;
    // The archive holds a folder of its own name.
    if (await isFolder(folder, name)) return join(folder, name);
  }
  throw new DataError(
    `${annotations} has no masks beside it: unpack ${name}.zip, so that ${annotations.replace(/\.json$/, "")}/ holds them.`,
  );
}
