import type { Value } from "../../../engine/graph/graph.js";
import {
  add,
  concat,
  conv,
  mul,
  reduceMean,
  reshape,
  sigmoid,
  slice,
  squeeze,
  sub,
  tanh,
} from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { Predictor } from "../../../vision/predictor.js";

import { type TaskName, tasks } from "../../../vision/tasks/index.js";
import type { AttackedModel } from "../attacked-model.js";
import type { AttackBatch } from "../batch.js";

const [batch, height, width, classes] = [2, 8, 10, 4];
const channelsOf = (task: TaskName): number => tasks[task].channels ?? (tasks[task].extent === "objects" ? 4 + classes : classes);
/** Places of a detector: one for each pixel. */
const places = height * width;

/** A smooth network of two convolutions with random weights, for any task: small enough for a table of hundreds of attacks. */
export function smallModel(task: TaskName): AttackedModel {
  const { roles } = tasks[task];
  const shape: Shape = [batch, 3, height, width];
  const random = new Random(5, task);
  const normal = (weightShape: Shape, scale: number) =>
    tensor(
      "float32",
      weightShape,
      Float32Array.from({ length: sizeOf(weightShape) }, () => random.normal(0, scale)),
    );
  const first = normal([8, 3 * roles.length, 3, 3], 0.4);
  const second = normal([channelsOf(task), 8, 3, 3], 0.5);
  const predictor: Predictor = {
    images: Object.fromEntries(roles.map((role) => [role, shape])),
    predict: (graph, images) => {
      const x =
        roles.length > 1
          ? concat(
              roles.map((r) => images[r]!),
              1,
            )
          : images[roles[0]!]!;
      const convolved = (v: Value, weight: Tensor<"float32">) => conv(v, graph.constant(weight), { pads: [1, 1, 1, 1] });
      const y = convolved(tanh(convolved(add(x, -0.5), first)), second);
      if (tasks[task].extent === "image") return squeeze(reduceMean(y, [2, 3], "keep"), [2, 3]);
      if (tasks[task].extent === "objects") return boxesOf(mul(y, 2));
      return tasks[task].kind === "picture" ? sigmoid(y) : mul(y, 2);
    },
  };
  return { predictor, task: tasks[task], ignore: [255, -1] };
}

/** Boxes of one to five pixels about each pixel, and logits. */
function boxesOf(y: Value): Value {
  const flat = reshape(y, [batch, 4 + classes, places]);
  const rows = (from: number, to: number) => slice(flat, [from], [to], { axes: [1] });
  const at = (place: (i: number) => number) =>
    y.graph.constant(
      tensor(
        "float32",
        [1, 1, places],
        Float32Array.from({ length: places }, (_, i) => place(i)),
      ),
    );
  const [x, y0] = [at((i) => (i % width) + 0.5), at((i) => Math.floor(i / width) + 0.5)];
  const side = (k: number) => add(mul(sigmoid(rows(k, k + 1)), 2), 0.5);
  return concat([sub(x, side(0)), sub(y0, side(1)), add(x, side(2)), add(y0, side(3)), rows(4, 4 + classes)], 1);
}

/** An object about some of the places, nothing about the others. */
function placesWithObjects(random: Random): Tensor<"float32"> {
  const target = tensor("float32", [batch, 6, places]);
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < places; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      const row = i % 7 === 2 ? [x - 1, y - 1, x + 2, y + 2, random.integer(classes), 1] : [0, 0, 0, 0, -1, i % 17 === 3 ? 2 : 0];
      for (const [k, v] of row.entries()) target.data[(b * 6 + k) * places + i] = v;
    }
  return target;
}

/** Two samples on the 8-bit grid with random ground truth; some labels are ignored. */
export function smallBatch(task: TaskName, { region }: { readonly region?: Tensor<"float32"> } = {}): AttackBatch {
  const random = new Random(6, task);
  const shape: Shape = [batch, 3, height, width];
  const images = Object.fromEntries(
    tasks[task].roles.map((role) => [
      role,
      tensor(
        "float32",
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => random.integer(256) / 255),
      ),
    ]),
  );
  const { kind, extent } = tasks[task];
  const pixels = extent === "image" ? [batch] : [batch, height, width];
  const target =
    extent === "objects"
      ? placesWithObjects(random)
      : kind === "classes"
        ? tensor(
            "int64",
            pixels,
            Array.from({ length: sizeOf(pixels) }, (_, i) =>
              extent === "pixels" && i % 17 === 3 ? 255 : random.integer(classes),
            ),
          )
        : tensor(
            "float32",
            [batch, channelsOf(task), height, width],
            Float32Array.from({ length: batch * channelsOf(task) * height * width }, () => random.uniform(0, 1)),
          );
  return { images, target, samples: ["first", "second"], seed: 1, ...(region && { region }) };
}

/** Left half may change. */
export const leftHalf: Tensor<"float32"> = tensor(
  "float32",
  [batch, 1, height, width],
  Float32Array.from({ length: batch * height * width }, (_, i) => (i % width < width / 2 ? 1 : 0)),
);
