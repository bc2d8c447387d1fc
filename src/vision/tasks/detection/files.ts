import type { Tensor } from "../../../engine/tensor/tensor.js";
import { DataError } from "../../data/error.js";
import { listOf, objectsOf } from "./boxes.js";

/**
 * YOLO's label files: a line "class x y width height" for each object, center and size as shares of the picture as it is shown. Further numbers of a line
 * (outlines of instances are such) are refused.
 */
type Size = { readonly height: number; readonly width: number };

/** @throws DataError naming the line that is none. */
export function parseYolo(bytes: Uint8Array, { height, width }: Size): Tensor<"float32"> {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  return listOf(
    lines.flatMap((line, i) => {
      const words = line.trim().split(/\s+/).filter(Boolean);
      if (words.length === 0) return [];
      const [label, x, y, w, h] = words.map(Number) as [number, number, number, number, number];
      if (words.length !== 5 || words.some((word) => !Number.isFinite(Number(word))) || !Number.isInteger(label) || label < 0)
        throw new DataError(`line ${i + 1} is "${line.trim().slice(0, 60)}", where "class x y width height" belongs.`);
      if ([x, y, w, h].some((v) => v < 0 || v > 1 + 1e-3))
        throw new DataError(
          `line ${i + 1} is "${line.trim().slice(0, 60)}"; x, y, width and height are shares of the picture, from 0 to 1.`,
        );
      return [{ x1: (x - w / 2) * width, y1: (y - h / 2) * height, x2: (x + w / 2) * width, y2: (y + h / 2) * height, label }];
    }),
  );
}

export function writeYolo(list: Tensor, { height, width }: Size): Uint8Array<ArrayBuffer> {
  const share = (v: number) => String(Number(v.toPrecision(7)));
  const lines = objectsOf(list).map(({ label, x1, y1, x2, y2 }) =>
    [
      label,
      share((x1 + x2) / 2 / width),
      share((y1 + y2) / 2 / height),
      share((x2 - x1) / width),
      share((y2 - y1) / height),
    ].join(" "),
  );
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}
