import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { listOf, objectsOf } from "../../tasks/detection/boxes.js";
import { DataError } from "../error.js";
import { oriented } from "../orientation.js";
import { orientationOf } from "./image-file.js";

interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * Boxes of a picture as it is shown. Where the annotation's size is that of the picture as stored, and its EXIF orientation turns it, the boxes are
 * turned alike; where it is that of the picture as shown, they stay.
 *
 * @param picture where the picture is read from: a path, or its bytes.
 * @throws DataError where it is neither.
 */
export async function turnedBoxes(
  list: Tensor<"float32">,
  picture: string | Uint8Array,
  annotated: Size,
  { shape: [, height, width] }: Tensor,
): Promise<Tensor<"float32">> {
  if (annotated.height === height && annotated.width === width) return list;
  const orientation = await orientationOf(picture);
  // Where the corners of a pixel grid go, the corners of boxes go.
  const [h, w] = [annotated.height, annotated.width];
  const at = oriented(tensor("int32", [2, 2], [0, 1, 2, 3]), orientation);
  const transposed = orientation >= 5;
  const [shownHeight, shownWidth] = transposed ? [w, h] : [h, w];
  if (orientation === 1 || shownHeight !== height || shownWidth !== width)
    throw new DataError(
      `${typeof picture === "string" ? picture : "the picture"} is ${width}x${height}, but its annotation is for a picture of ${w}x${h}: they do not belong together.`,
    );
  const corner = (x: number, y: number): readonly [number, number] => {
    // The stored corners 0 (upper left), 1 (upper right), 2 (lower left) lie where `at` shows them.
    const place = (k: number) => {
      const i = [...at.data].indexOf(k);
      return [(i % 2) * shownWidth, Math.floor(i / 2) * shownHeight] as const;
    };
    const [origin, right, down] = [place(0), place(1), place(2)];
    const [a, b] = [x / w, y / h];
    return [
      origin[0] + a * (right[0] - origin[0]) + b * (down[0] - origin[0]),
      origin[1] + a * (right[1] - origin[1]) + b * (down[1] - origin[1]),
    ];
  };
  return listOf(
    objectsOf(list).map((o) => {
      const [p, q] = [corner(o.x1, o.y1), corner(o.x2, o.y2)];
      return {
        ...o,
        x1: Math.min(p[0], q[0]),
        y1: Math.min(p[1], q[1]),
        x2: Math.max(p[0], q[0]),
        y2: Math.max(p[1], q[1]),
      };
    }),
  );
}
