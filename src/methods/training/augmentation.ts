import type { Random } from "../../engine/tensor/random.js";
import { type DataType, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Sample, TaskName } from "../../vision/data/dataset.js";
import { TrainingError } from "./error.js";

/** What is done to each sample at random, target included. */
export interface Augmentation {
  /** A window of this height and width, anywhere in the picture; default: the whole picture. */
  readonly crop?: readonly [height: number, width: number];
  /** Mirror images, each with probability ½: "horizontal" swaps left and right, "vertical" top and bottom. */
  readonly flips?: readonly ("horizontal" | "vertical")[];
}

/**
 * @throws TrainingError where the picture is smaller than the crop, or a stereo pair would be mirrored (left and right would change places).
 */
export function augment(sample: Sample, task: TaskName, { crop, flips = [] }: Augmentation, random: Random): Sample {
  if (task === "disparity" && flips.includes("horizontal"))
    throw new TrainingError("Stereo pairs cannot be mirrored horizontally: disparities would change their sign.");
  const [height, width] = Object.values(sample.inputs)[0]!.shape.slice(-2) as [number, number];
  const [rows, columns] = crop ?? [height, width];
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
  };
  const { id, inputs, target, valid, occluded } = sample;
  return {
    id,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, image]) => [name, cut(image, window)])),
    ...(target && { target: task === "flow" ? turned(cut(target, window), window) : cut(target, window) }),
    ...(valid && { valid: cut(valid, window) }),
    ...(occluded && { occluded: cut(occluded, window) }),
  };
}

interface Window {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
  readonly mirrored: boolean;
  readonly upsideDown: boolean;
}

/** The window of a tensor [..., H, W]; class indices stay as they are. */
function cut<T extends DataType>(t: Tensor<T>, { top, left, rows, columns, mirrored, upsideDown }: Window): Tensor<T> {
  if (t.shape.length < 2) return t;
  const [height, width] = t.shape.slice(-2) as [number, number];
  const leading = t.shape.slice(0, -2);
  const out = tensor(t.type, [...leading, rows, columns]);
  for (let plane = 0; plane < t.data.length / (height * width); plane++) {
    for (let y = 0; y < rows; y++) {
      const from = (plane * height + top + (upsideDown ? rows - 1 - y : y)) * width + left;
      const to = (plane * rows + y) * columns;
      for (let x = 0; x < columns; x++) out.data[to + x] = t.data[from + (mirrored ? columns - 1 - x : x)]!;
    }
  }
  return out;
}

/** A mirrored picture moves the other way: (u, v) becomes (-u, v). */
function turned(flow: Tensor, { mirrored, upsideDown }: Window): Tensor {
  const data = (flow.data as Float32Array).slice();
  const plane = data.length / 2;
  if (mirrored) for (let i = 0; i < plane; i++) data[i] = -data[i]!;
  if (upsideDown) for (let i = plane; i < data.length; i++) data[i] = -data[i]!;
  return tensor("float32", flow.shape, data);
}
