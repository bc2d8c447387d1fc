import { mkdirSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { encodeImage } from "../../vision/data/node/image-file.js";

/** Where a report's pictures go: into the page, so that it is one file, or into a folder beside it, in full size. */
export type Assets = "inline" | "folder";

/** Takes pictures and says what the page writes as their source. */
export interface Pictures {
  /** @param name of the file, without its ending. @param most width in the page, in pixels: larger ones are scaled down where they are inside it. */
  add(name: string, image: Tensor<"float32">, most?: number): Promise<string>;
}

/** Width of a picture inside a page, at most: twice what it is shown at on most screens. */
const usualWidth = 720;

/**
 * @param folder the run directory; pictures beside the page go to `report/` in it. What an earlier report left there is removed.
 */
export function picturesFor(folder: string, assets: Assets): Pictures {
  rmSync(join(folder, "report"), { recursive: true, force: true });
  if (assets === "inline") return { add: async (_, image, most = usualWidth) => dataUri(await encodeImage(image), most) };
  return {
    async add(name, image) {
      const file = `report/${name}.png`;
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), await encodeImage(image));
      return file;
    },
  };
}

/** A picture as a source that stands in the page. Small ones are kept to the pixel, larger ones compressed as photographs are. */
export async function dataUri(file: Uint8Array, most = usualWidth): Promise<string> {
  const { width } = await sharp(file).metadata();
  if (width <= 256 && width <= most) return `data:image/png;base64,${Buffer.from(file).toString("base64")}`;
  const scaled = sharp(file).resize({ width: Math.min(width, most), withoutEnlargement: true });
  const bytes = await scaled.webp({ quality: 88, effort: 4, smartSubsample: true }).toBuffer();
  return `data:image/webp;base64,${bytes.toString("base64")}`;
}
