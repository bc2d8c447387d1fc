import { type DataType, type Tensor, tensor } from "../../engine/tensor/tensor.js";

/** For each EXIF orientation, whether rows and columns change places and which of the result's axes then run backwards. (EXIF 2.3, tag 274.) */
const turns: Readonly<Record<number, { readonly transposed?: true; readonly down?: true; readonly right?: true }>> = {
  1: {},
  2: { right: true },
  3: { down: true, right: true },
  4: { down: true },
  5: { transposed: true },
  6: { transposed: true, right: true },
  7: { transposed: true, down: true, right: true },
  8: { transposed: true, down: true },
};

/** Stored values `[H, W]` as a viewer shows them. @param orientation EXIF orientation, 1 to 8; anything else leaves them as they are. */
export function oriented<T extends DataType>(stored: Tensor<T>, orientation: number): Tensor<T> {
  const turn = turns[orientation];
  if (!turn || orientation === 1) return stored;
  const [h, w] = stored.shape as [number, number];
  const [height, width] = turn.transposed ? [w, h] : [h, w];
  const shown = tensor(stored.type, [height, width]);
  for (let y = 0; y < height; y++) {
    const row = turn.down ? height - 1 - y : y;
    for (let x = 0; x < width; x++) {
      const column = turn.right ? width - 1 - x : x;
      shown.data[y * width + x] = stored.data[turn.transposed ? column * w + row : row * w + column]!;
    }
  }
  return shown;
}
