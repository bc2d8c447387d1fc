import { type Evaluate, specialize } from "../../../engine/compile/specialize.js";
import { embed } from "../../../engine/graph/embed.js";
import type { OnnxModel, ValueInfo } from "../../../engine/onnx/model.js";
import { type Shape, sameShape } from "../../../engine/tensor/tensor.js";
import { AttackError } from "../error.js";
import type { Transform } from "./transform.js";

/**
 * A transform of one's own as an ONNX model with two inputs, `image` [B, C, H, W] in [0, 1] and `noise` (uniform in [-1, 1], its first axis B), and one
 * output of the image's shape. The pixels must keep their places where the task has a target per pixel; each image of a pair has its own noise.
 *
 * @param image shape of the batch of images.
 * @throws AttackError when the model has other inputs or outputs; ModelError when it cannot be specialized to the image's shape.
 */
export async function modelTransform(
  model: OnnxModel,
  name: string,
  samples: number,
  image: Shape,
  evaluate: Evaluate,
): Promise<Transform> {
  const free = model.graph.inputs.filter((i) => !model.graph.initializers.has(i.name));
  const [pictured, drawn] = ["image", "noise"].map((wanted) => free.find((i) => i.name === wanted));
  if (free.length !== 2 || !pictured || !drawn)
    throw new AttackError(
      `${name}: a transform has the inputs "image" and "noise"; this model has ${free.map((i) => i.name).join(", ")}.`,
    );
  const noise = noiseShape(drawn, pictured, image, name);
  const fixed = await specialize(model, { image, noise }, evaluate);
  const [output, value] = [...fixed.outputs][0]!;
  if (fixed.outputs.size !== 1 || !sameShape(value.shape, image))
    throw new AttackError(`${name}: a transform has one output of the image's shape [${image.join(", ")}].`);
  return {
    name,
    samples,
    moves: "nothing",
    noise: () => noise,
    apply: (x, n) => embed(x.graph, fixed, { image: x, noise: n }).outputs[output]!,
  };
}

/** Axes that the file leaves open are the batch (first), or those of the image that bear the same name. */
function noiseShape({ shape }: ValueInfo, pictured: ValueInfo, image: Shape, name: string): Shape {
  if (!shape) throw new AttackError(`${name}: the noise's shape is unknown; export the transform with one.`);
  return shape.map((axis, i) => {
    if (typeof axis === "number") return axis;
    const same = pictured.shape?.findIndex((a) => a === axis && a !== "") ?? -1;
    if (same >= 0) return image[same]!;
    if (i === 0) return image[0]!;
    throw new AttackError(`${name}: axis ${i} of the noise ("${axis}") is open; fix it, or name it like an axis of the image.`);
  });
}
