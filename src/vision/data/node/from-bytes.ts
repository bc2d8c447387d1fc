/** Samples out of archives: a picture and its truth as the bytes of files. */
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { type TaskName, taskNames, tasks } from "../../tasks/index.js";
import type { Sample } from "../dataset.js";
import { DataError } from "../error.js";
import type { LabelFiles } from "../folder-rule.js";
import { parseLabelMap } from "../formats/label-map.js";
import { parsePpm } from "../formats/ppm.js";
import { imageFromSamples } from "../image.js";
import { decodeImage } from "./image-file.js";
import { turnedMask } from "./turned-mask.js";

/** Truth as an archive has it: the number of a class, or a file. */
export type ArchivedTruth = { readonly classIndex: number } | { readonly bytes: Uint8Array };

/** Kinds of labels of which an archive holds one number or one file for a picture. */
const kinds: readonly LabelFiles["kind"][] = ["list", "masks", "pictures"];

/** Tasks that are read from archives: those of one picture, with a class, a mask or a picture for truth. */
export const archivedTasks: readonly TaskName[] = taskNames.filter(
  (name) => tasks[name].roles.length === 1 && kinds.includes(tasks[name].folder.labels.kind),
);

/** A picture of any format, float32 [3, H, W]. @throws DataError where the bytes are no picture. */
export async function pictureFrom(bytes: Uint8Array): Promise<Tensor<"float32">> {
  const isNetpbm = bytes[0] === 0x50 && (bytes[1] === 0x35 || bytes[1] === 0x36);
  return imageFromSamples(isNetpbm ? parsePpm(bytes) : await decodeImage(bytes));
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
  if (labels.kind === "pictures") return { task };
  return { task, classNames: classNames ?? [], ...(labels.kind === "masks" && { ignoreLabel: labels.ignoreLabel }) };
}
