import type { ValueType } from "../../engine/graph/graph.js";
import { entriesOf, stack } from "../../engine/tensor/arrays.js";
import { describe, numberAt, sameShape, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { DataError } from "../data/error.js";
import type { ModelSpec } from "../spec/model-spec.js";
import type { Task } from "../tasks/index.js";
import { isTensor, placeOf } from "./images.js";

/**
 * What predictions are compared with, or what an attacker wants to see: a tensor with a batch axis, a list of tensors without one, or (class labels
 * of whole images) plain numbers. `Task` has the shapes.
 */
export type Targets = Tensor | readonly Tensor[] | ArrayLike<number | bigint>;

/**
 * Holds targets against images and model.
 *
 * @param type of the target for all N images, by the model's prediction. @param classes of the model, where it has such.
 * @returns the target as losses take it: int64 labels with the specification's offset, or float32.
 * @throws DataError for counts and shapes that do not agree, labels that are no class, values that are no number.
 */
export function checkedTargets(given: Targets, type: ValueType, classes: number, task: Task, spec: ModelSpec): Tensor {
  const count = type.shape[0]!;
  const labels = task.kind === "classes";
  const what = labels ? "labels" : "targets";
  const wanted = `${what} are ${type.type}[${type.shape.join(", ")}] here`;
  if (given === null || typeof given !== "object") throw new DataError(`There are no ${what}, but ${String(given)}; ${wanted}.`);
  const found = tensorOf(given, labels, what, wanted);
  if (found.shape.length > 0 && found.shape[0] !== count)
    throw new DataError(`There are ${count} images, but ${what} for ${found.shape[0]}; ${wanted}.`);
  if (!sameShape(found.shape, type.shape))
    throw new DataError(
      labels && found.shape.length > type.shape.length
        ? `The labels are ${describe(found)}; ${wanted}, one class number each: if they are one-hot or scores, take their argmax.`
        : `The ${what} are ${describe(found)}; ${wanted}.`,
    );
  return labels ? checkedLabels(found, classes, spec) : checkedNumbers(found, task);
}

/**
 * Lists of objects, one [M, 6] or [M, 7] for each image (or one tensor [N, M, 6], where rows of zeros are none), held against images and model.
 *
 * @param classes of the model.
 * @throws DataError for counts and shapes that do not agree, classes that the model has not, values that are no number.
 */
export function checkedLists(given: Targets, count: number, classes: number): Tensor<"float32">[] {
  const wanted =
    "targets are lists of objects here, float32[M, 6] for each image: x1, y1, x2, y2 in pixels, class, and 1 (2: a crowd); a seventh column may say how many square pixels the object covers";
  if (given === null || typeof given !== "object") throw new DataError(`There are no targets, but ${String(given)}; ${wanted}.`);
  const lists = isTensor(given)
    ? given.shape.length === 3
      ? entriesOf(given)
      : [given]
    : Array.from(given as ArrayLike<unknown>);
  if (lists.length !== count) throw new DataError(`There are ${count} images, but ${lists.length} lists of objects; ${wanted}.`);
  return lists.map((list, i) => {
    if (!isTensor(list) || list.shape.length !== 2 || (list.shape[1] !== 6 && list.shape[1] !== 7))
      throw new DataError(`The targets of image ${i} are ${isTensor(list) ? describe(list) : typeof list}; ${wanted}.`);
    const rows = entriesOf(list).map((row) => Array.from(toNumbers(row)));
    const odd = rows.findIndex((row) => row.some((v) => !Number.isFinite(v)));
    if (odd >= 0) throw new DataError(`Object ${odd} of image ${i} holds a value that is no number; ${wanted}.`);
    const there = rows.filter((row) => row[5] !== 0);
    const beyond = there.find(([, , , , label, state]) => label! >= classes || (label! < 0 && state === 1));
    if (beyond)
      throw new DataError(`An object of image ${i} is of class ${beyond[4]}, but the model's classes are 0 to ${classes - 1}.`);
    return tensor("float32", [there.length, list.shape[1]!], there.flat());
  });
}

function tensorOf(given: Targets, labels: boolean, what: string, wanted: string): Tensor {
  if (isTensor(given)) return given;
  const list = Array.from(given as ArrayLike<unknown>);
  if (list.length === 0) throw new DataError(`The list of ${what} is empty; ${wanted}.`);
  if (list.every(isTensor)) {
    const other = list.findIndex((t) => !sameShape(t.shape, list[0]!.shape));
    if (other > 0)
      throw new DataError(
        `The ${what} of image ${other} are ${describe(list[other]!)}, those of image 0 ${describe(list[0]!)}; ${wanted}.`,
      );
    return stack(list);
  }
  const odd = list.findIndex((v) => typeof v !== "number" && typeof v !== "bigint");
  if (odd >= 0) throw new DataError(`Entry ${odd} of the ${what} is ${typeof list[odd]}, no number; ${wanted}.`);
  if (!labels) throw new DataError(`The targets are plain numbers; ${wanted}, as a tensor.`);
  return tensor("float64", [list.length], list.map(Number));
}

function checkedLabels(found: Tensor, classes: number, { ignore, labelOffset }: ModelSpec): Tensor<"int64"> {
  const perImage = found.data.length / found.shape[0]!;
  const ignored = new Set(ignore);
  const values = toNumbers(found).map((label, at) => {
    if (ignored.has(label)) return label;
    const wrong = !Number.isInteger(label)
      ? "labels are whole numbers, counted from 0"
      : label + labelOffset < 0 || label + labelOffset >= classes
        ? `the model's classes are ${-labelOffset} to ${classes - 1 - labelOffset}; correct it, or say with the specification's ignore or labelOffset how they fit`
        : undefined;
    if (wrong) throw new DataError(`A label of image ${Math.floor(at / perImage)} is ${label}, but ${wrong}.`);
    return label + labelOffset;
  });
  return tensor("int64", found.shape, values);
}

function checkedNumbers(found: Tensor, { kind }: Task): Tensor<"float32"> {
  const values = Float32Array.from(toNumbers(found));
  const at = values.findIndex((v) => !Number.isFinite(v) || (kind === "picture" && !(v >= -1e-6 && v <= 1 + 1e-6)));
  if (at >= 0)
    throw new DataError(
      `${placeOf(at, found.shape).replace("Image", "The target of image")} is ${numberAt(found, at)}; ${kind === "picture" ? "pictures are in [0, 1]: divide by 255 if they count from 0 to 255" : "a target has a finite number everywhere: put 0 where it is unknown, and 0 into valid there"}.`,
    );
  return tensor("float32", found.shape, values);
}

/**
 * Where targets are known, as losses take it: float32 [N, H, W], 1 where the target counts, 0 elsewhere.
 *
 * @throws DataError when its shape or a value is another.
 */
export function checkedValid(given: Tensor | readonly Tensor[], shape: readonly number[]): Tensor<"float32"> {
  const found = isTensor(given) ? given : stack([...given]);
  if (!sameShape(found.shape, shape))
    throw new DataError(`The mask valid is ${describe(found)}; it is [${shape.join(", ")}] here.`);
  const values = Float32Array.from(toNumbers(found));
  const odd = values.find((v) => v !== 0 && v !== 1);
  if (odd !== undefined) throw new DataError(`The mask valid holds ${odd}; it is 1 where the target is known and 0 elsewhere.`);
  return tensor("float32", shape, values);
}
