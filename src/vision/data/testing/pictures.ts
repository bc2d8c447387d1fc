import { tensor } from "../../../engine/tensor/tensor.js";
import { encodePng } from "../formats/png.js";
import { height, pictureValue, width } from "./fixture-values.js";

const pixels = Array.from({ length: width * height }, (_, i) => ({ x: i % width, y: Math.floor(i / width) }));

/** A picture of the fixtures, as it is read. */
export const picture = (salt: number) =>
  tensor(
    "float32",
    [3, height, width],
    [0, 1, 2].flatMap((c) => pixels.map(({ x, y }) => pictureValue(x, y, c, salt) / 255)),
  );

/** The same as a file. */
export const picturePng = (salt: number): Uint8Array => {
  const data = Uint8Array.from(pixels.flatMap(({ x, y }) => [0, 1, 2].map((c) => pictureValue(x, y, c, salt))));
  return encodePng({ width, height, color: "rgb", depth: 8, data });
};

/** A mask that runs through the given values, as a file and as it is read. */
export const maskPng = (values: readonly number[]): Uint8Array =>
  encodePng({ width, height, color: "gray", depth: 8, data: Uint8Array.from(pixels, (_, i) => values[i % values.length]!) });
export const labels = (values: readonly number[]) =>
  tensor(
    "int32",
    [height, width],
    pixels.map((_, i) => values[i % values.length]!),
  );

/** A panoptic mask that runs through the numbers of segments. */
export const segmentsPng = (ids: readonly number[]): Uint8Array => {
  const data = Uint8Array.from(
    pixels.flatMap((_, i) => {
      const id = ids[i % ids.length]!;
      return [id % 256, Math.floor(id / 256) % 256, Math.floor(id / 65536)];
    }),
  );
  return encodePng({ width, height, color: "rgb", depth: 8, data });
};
