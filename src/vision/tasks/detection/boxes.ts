import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { Placement } from "../task.js";

// Boxes on arrays. A box is x1, y1, x2, y2 in pixels of the picture, pixel centers at halves: the whole picture is (0, 0, width, height).

/** What a row of a list, or a place of the model, says besides its box and its class. */
export const state = {
  /** Nothing is wanted here (places of the model only). */
  nothing: 0,
  object: 1,
  /** A crowd: any number of boxes within it are neither right nor wrong. */
  crowd: 2,
  /** A wish: an object of the class, or with class -1 of any, wherever the model looks. */
  everywhere: 3,
  /** An object that does not count (VOC's difficult ones): finding it is neither right nor wrong. */
  ignored: 4,
} as const;

export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** An object of a picture, or of a wish. */
export interface Listed extends Box {
  readonly label: number;
  readonly state: number;
  /** Square pixels that are seen of it (COCO's outlines say it): by them it is small or large. Absent: those of its box. */
  readonly covers?: number;
}

/** What a model found. `score` is in [0, 1]. */
export interface Detection extends Box {
  readonly label: number;
  readonly score: number;
}

export const area = (b: Box): number => Math.max(0, b.x2 - b.x1) * Math.max(0, b.y2 - b.y1);

export function intersection(a: Box, b: Box): number {
  const [w, h] = [Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1), Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1)];
  return w > 0 && h > 0 ? w * h : 0;
}

/** Intersection over union; 0 where both are empty. */
export function overlap(a: Box, b: Box): number {
  const common = intersection(a, b);
  return common === 0 ? 0 : common / (area(a) + area(b) - common);
}

/** Objects that are there but do not count. */
export const isIgnored = (o: Pick<Listed, "state">): boolean => o.state === state.crowd || o.state === state.ignored;

/** What lists of objects are made from. */
type Given = Box & Pick<Listed, "label" | "covers"> & Partial<Pick<Listed, "state">>;

/**
 * A list of objects as float32 [M, 6]: x1, y1, x2, y2, class, state; or [M, 7] where it is known what they cover, in square pixels. An empty list is
 * [0, 6].
 *
 * @example listOf([{ x1: 0, y1: 0, x2: 8, y2: 8, label: 3 }]) // float32 [1, 6]: 0, 0, 8, 8, 3, 1
 */
export function listOf(objects: readonly Given[]): Tensor<"float32"> {
  const known = objects.some((o) => o.covers !== undefined);
  const rows = objects.flatMap((o) => [
    ...[o.x1, o.y1, o.x2, o.y2, o.label, o.state ?? state.object],
    ...(known ? [o.covers ?? area(o)] : []),
  ]);
  return tensor("float32", [objects.length, known ? 7 : 6], rows);
}

/** The objects of a list [M, 6] or [M, 7]. */
export const objectsOf = ({ data, shape: [count, columns] }: Tensor): Listed[] =>
  Array.from({ length: count! }, (_, i) => {
    const at = (k: number) => Number(data[columns! * i + k]);
    const one = { x1: at(0), y1: at(1), x2: at(2), y2: at(3), label: at(4), state: at(5) };
    return columns! > 6 ? { ...one, covers: at(6) } : one;
  });

/** Objects where the picture is scaled and cropped: cut at its edge, and left out where nothing of them is within. What is cut off covers nothing. */
export function placedList(list: Tensor, { scale, shift, size }: Placement): Tensor<"float32"> {
  const x = (v: number) => Math.min(size.width, Math.max(0, v * scale.x + shift.x));
  const y = (v: number) => Math.min(size.height, Math.max(0, v * scale.y + shift.y));
  return listOf(
    objectsOf(list)
      .map((o) => {
        const placed = { ...o, x1: x(o.x1), y1: y(o.y1), x2: x(o.x2), y2: y(o.y2) };
        return o.covers === undefined || area(o) === 0 ? placed : { ...placed, covers: (o.covers * area(placed)) / area(o) };
      })
      .filter((o) => area(o) > 0),
  );
}
