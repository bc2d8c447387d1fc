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

/** A list of objects as float32 [M, 6]: x1, y1, x2, y2, class, state. An empty list is [0, 6]. */
export function listOf(objects: readonly (Box & { readonly label: number; readonly state?: number })[]): Tensor<"float32"> {
  const rows = objects.flatMap((o) => [o.x1, o.y1, o.x2, o.y2, o.label, o.state ?? state.object]);
  return tensor("float32", [objects.length, 6], rows);
}

/** The objects of a list [M, 6]. */
export const objectsOf = ({ data, shape }: Tensor): Listed[] =>
  Array.from({ length: shape[0]! }, (_, i) => {
    const [x1, y1, x2, y2, label, kind] = Array.from({ length: 6 }, (__, k) => Number(data[6 * i + k])) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return { x1, y1, x2, y2, label, state: kind };
  });

/** Objects where the picture is scaled and cropped: cut at its edge, and left out where nothing of them is within. */
export function placedList(list: Tensor, { scale, shift, size }: Placement): Tensor<"float32"> {
  const x = (v: number) => Math.min(size.width, Math.max(0, v * scale.x + shift.x));
  const y = (v: number) => Math.min(size.height, Math.max(0, v * scale.y + shift.y));
  return listOf(
    objectsOf(list)
      .map((o) => ({ ...o, x1: x(o.x1), y1: y(o.y1), x2: x(o.x2), y2: y(o.y2) }))
      .filter((o) => area(o) > 0),
  );
}
