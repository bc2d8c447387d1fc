/** Samples out of archives: a picture and its truth as the bytes of files. */
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { type TaskName, taskNames, tasks } from "../../tasks/index.js";
import type { Sample } from "../dataset.js";
import { DataError } from "../error.js";
import type { LabelFiles } from "../folder-rule.js";
import { parseLabelMap } from "../formats/label-map.js";
import { parsePpm } from "../formats/ppm.js";
import { imageFromSamples } from "../image.js";
import { type BoxForm, listOfWritten, type PictureSize, type Written } from "./archived-boxes.js";
import { decodeImage } from "./image-file.js";
import { turnedBoxes } from "./turned-boxes.js";
import { turnedMask } from "./turned-mask.js";

/** Truth as an archive has it: the number of a class, or a file. */
export type ArchivedTruth =
  | { readonly classIndex: number }
  | { readonly bytes: Uint8Array }
  | {
      readonly objects: readonly Written[];
      readonly form: BoxForm;
      /** Of the picture that was annotated, where it is said. */
      readonly size: PictureSize | undefined;
      readonly classNames: readonly string[] | undefined;
    };

/** Kinds of labels that an archive holds beside a picture: a number, a file, or objects. */
const kinds: readonly LabelFiles["kind"][] = ["list", "masks", "pictures", "objects"];

/** Tasks that are read from archives: those of one picture, with a class, a mask, a picture or objects for truth. */
export const archivedTasks: readonly TaskName[] = taskNames.filter(
  (name) => tasks[name].roles.length === 1 && kinds.includes(tasks[name].folder.labels.kind),
);

/** A picture of any format, float32 [3, H, W]. @throws DataError where the bytes are no picture. */
export async function pictureFrom(bytes: Uint8Array): Promise<Tensor<"float32">> {
  const isNetpbm = bytes[0] === 0x50 && (bytes[1] === 0x35 || bytes[1] === 0x36);
  return imageFromSamples(isNetpbm ? parsePpm(bytes) : await decodeImage(bytes));
}

/** The size of a picture as it is shown, by its header; undefined where it cannot be read. */
export async function shownSize(bytes: Uint8Array): Promise<PictureSize | undefined> {
  const { default: sharp } = await import("sharp");
  const found = await sharp(bytes)
    .metadata()
    .catch(() => undefined);
  return found && { height: found.autoOrient.height, width: found.autoOrient.width };
}

/**
 * A sample of a task.
 *
 * @throws DataError with the sample's name, where the picture or its truth cannot be read.
 */
export async function sampleFrom(
  id: string,
  task: TaskName,
  picture: Uint8Array,
  truth: ArchivedTruth | undefined,
): Promise<Sample> {
  try {
    const image = await pictureFrom(picture);
    const sample = { id, inputs: { [tasks[task].roles[0]]: image } };
    if (!truth) return sample;
    if ("classIndex" in truth) return { ...sample, target: tensor("int64", [], [truth.classIndex]) };
    if ("objects" in truth) {
      const [, height, width] = image.shape as [number, number, number];
      const size = truth.size ?? { height, width };
      const list = listOfWritten(truth.objects, truth.form, size, truth.classNames);
      return { ...sample, target: await turnedBoxes(list, picture, size, image) };
    }
    if (tasks[task].folder.labels.kind === "pictures") return { ...sample, target: await pictureFrom(truth.bytes) };
    return { ...sample, target: await turnedMask(parseLabelMap(truth.bytes), picture, image) };
  } catch (error) {
    if (error instanceof DataError) throw new DataError(`${id}: ${error.message}`);
    throw error;
  }
}

/** The ignored label and the classes' names, where the task has such. */
export function archivedLabelling(task: TaskName, classNames: readonly string[] | undefined) {
  const { labels } = tasks[task].folder;
  if (labels.kind === "pictures" || (labels.kind === "objects" && !classNames)) return { task };
  return { task, classNames: classNames ?? [], ...(labels.kind === "masks" && { ignoreLabel: labels.ignoreLabel }) };
}
