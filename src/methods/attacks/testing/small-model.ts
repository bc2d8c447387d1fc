import type { Value } from "../../../engine/graph/graph.js";
import { add, concat, conv, mul, reduceMean, sigmoid, squeeze, tanh } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { Predictor } from "../../../vision/predictor.js";

import { type TaskName, tasks } from "../../../vision/tasks/index.js";
import type { AttackBatch } from "../compile-attack.js";
import type { AttackedModel } from "../step-graph.js";

const [batch, height, width, classes] = [2, 8, 10, 4];
const channelsOf = (task: TaskName): number => tasks[task].channels ?? classes;

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
      return tasks[task].kind === "picture" ? sigmoid(y) : mul(y, 2);
    },
  };
  return { predictor, task: tasks[task], ignore: [255, -1] };
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
    kind === "classes"
      ? tensor(
          "int64",
          pixels,
          Array.from({ length: sizeOf(pixels) }, (_, i) => (extent === "pixels" && i % 17 === 3 ? 255 : random.integer(classes))),
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
