import type { Tensor } from "../../../engine/tensor/tensor.js";
import { oriented } from "../orientation.js";
import { orientationOf } from "./image-file.js";

/**
 * A picture's EXIF orientation turns its mask too, which is of the picture as stored: masks have no orientation of their own. One that only fits the
 * picture as it is shown was made from that and stays.
 *
 * @param picture where the picture is read from: a path, or its bytes.
 * @param shown the picture as it is shown, [3, H, W].
 */
export async function turnedMask(
  mask: Tensor<"int32">,
  picture: string | Uint8Array,
  { shape: [, height, width] }: Tensor,
): Promise<Tensor<"int32">> {
  const turned = oriented(mask, await orientationOf(picture));
  return turned.shape[0] === height && turned.shape[1] === width ? turned : mask;
}
