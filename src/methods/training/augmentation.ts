import type { Random } from "../../engine/tensor/random.js";
import { type DataType, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Sample } from "../../vision/data/dataset.js";
import { type Flip, type TaskName, type Turn, tasks } from "../../vision/tasks/index.js";
import { TrainingError } from "./error.js";

/** What is done to each sample at random, target included. */
export interface Augmentation {
  /** A window of this height and width, anywhere in the picture; default: the whole picture. */
  readonly crop?: readonly [height: number, width: number];
  /** Mirror images, each with probability ½. */
  readonly flips?: readonly Flip[];
}

/**
 * @throws TrainingError where the picture is smaller than the crop, a whole picture changes its shape, or its mirror image would be no sample of
 *   the task (in a stereo pair left and right would change places).
 */
export function augment(sample: Sample, task: TaskName, { crop, flips = [] }: Augmentation, random: Random): Sample {
  const { flips: possible, turned } = tasks[task];
  const odd = flips.find((flip) => !possible.allowed.includes(flip));
  if (odd) throw new TrainingError(possible.because ?? `Samples for ${task} have no ${odd} mirror image.`);
  const [height, width] = Object.values(sample.inputs)[0]!.shape.slice(-2) as [number, number];
  if (!crop && flips.includes("diagonal") && height !== width)
    throw new TrainingError(
      `Sample ${sample.id} is ${height}x${width}; diagonal flips of whole pictures are for squares, so set a crop.`,
    );
  const transposed = flips.includes("diagonal") && random.uniform() < 0.5;
  const [outRows, outColumns] = crop ?? [height, width];
  const [rows, columns] = transposed ? [outColumns, outRows] : [outRows, outColumns];
  if (rows > height || columns > width)
    throw new TrainingError(
      `Sample ${sample.id} is ${height}x${width} (height x width), too small to crop ${rows}x${columns} from it.`,
    );
  const window: Window = {
    top: random.integer(height - rows + 1),
    left: random.integer(width - columns + 1),
    rows,
    columns,
    mirrored: flips.includes("horizontal") && random.uniform() < 0.5,
    upsideDown: flips.includes("vertical") && random.uniform() < 0.5,
    transposed,
  };
  const { id, inputs, target, valid, occluded } = sample;
  return {
    id,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, image]) => [name, cut(image, window)])),
    ...(target && { target: turned ? turned(cut(target, window), window) : cut(target, window) }),
    ...(valid && { valid: cut(valid, window) }),
    ...(occluded && { occluded: cut(occluded, window) }),
  };
}

/** Where a window lies in the picture, and how it is turned. */
interface Window extends Turn {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/** The window of a tensor [..., H, W]; class indices stay as they are. */
function cut<T extends DataType>(t: Tensor<T>, window: Window): Tensor<T> {
  if (t.shape.length < 2) return t;
  const { top, left, rows, columns, mirrored, upsideDown, transposed } = window;
  const [height, width] = t.shape.slice(-2) as [number, number];
  const leading = t.shape.slice(0, -2);
  const [outRows, outColumns] = transposed ? [columns, rows] : [rows, columns];
  const out = tensor(t.type, [...leading, outRows, outColumns]);
  // Steps in the picture from one place of the result to the next, to the right and down.
  const alongRow = mirrored ? -1 : 1;
  const alongColumn = upsideDown ? -width : width;
  const [right, down] = transposed ? [alongColumn, alongRow] : [alongRow, alongColumn];
  const first = (top + (upsideDown ? rows - 1 : 0)) * width + left + (mirrored ? columns - 1 : 0);
  for (let plane = 0; plane < t.data.length / (height * width); plane++) {
    for (let y = 0; y < outRows; y++) {
      const from = plane * height * width + first + y * down;
      const to = (plane * outRows + y) * outColumns;
      for (let x = 0; x < outColumns; x++) out.data[to + x] = t.data[from + x * right]!;
    }
  }
  return out;
}
