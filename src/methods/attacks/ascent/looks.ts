import type { Graph, Value } from "../../../engine/graph/graph.js";
import { type Shape, sizeOf, tensor } from "../../../engine/tensor/tensor.js";
import type { Task } from "../../../vision/tasks/index.js";
import type { AttackedModel } from "../attacked-model.js";
import { AttackError } from "../error.js";
import { chain } from "../transforms/chain.js";
import { neighbors } from "../transforms/neighbors.js";
import type { Transform } from "../transforms/transform.js";
import type { DescentRule, ProjectedAscent } from "./ascent.js";

// How a step looks at the images for its gradient: as they are, by views of its own, by transforms that are averaged over, and at neighbors.

/** The noise of one draw, for each image: an input made when it is first asked for, where any noise is needed. */
export function noiseInputs(
  graph: Graph,
  transform: Transform,
  nameOf: (role: string) => string,
): (role: string, image: Shape) => Value {
  const known = new Map<string, Value>();
  return (role, image) => {
    const [name, shape] = [nameOf(role), transform.noise(image)];
    const noise =
      known.get(name) ?? (sizeOf(shape) === 0 ? graph.constant(tensor("float32", shape)) : graph.input(name, "float32", shape));
    known.set(name, noise);
    return noise;
  };
}

/**
 * How the images are looked at for the gradient: by the attack's own views, then by what is averaged over (EOT); and how for the mean of the neighbors,
 * where the descent rule asks for it.
 *
 * @throws AttackError where that moves pixels from their targets.
 */
export function looks(
  { views = [], norm, descent }: ProjectedAscent,
  { transform, task }: { readonly transform?: Transform | undefined; readonly task: Task },
  { around }: Pick<DescentRule, "around"> = descent,
): { readonly seen: Transform | undefined; readonly around: Transform | undefined } {
  const parts = [...views, ...(transform ? [transform] : [])];
  for (const part of parts) demandFitting(part, task);
  return { seen: chain(parts), around: around && chain([neighbors(around.samples, around.beta, norm), ...parts]) };
}

/** @throws AttackError where a transform moves pixels from their targets. */
export function demandFitting({ name, moves }: Transform, task: Pick<Task, "name" | "extent">): void {
  if (moves === "anything" && task.extent !== "image")
    throw new AttackError(`Transform ${name} moves pixels and ${task.name} has a target for each; take another.`);
}

/** Whether a search from one point may go several ways: there is something random in how it looks at the images. */
export function drawsNoise(attack: ProjectedAscent, model: AttackedModel): boolean {
  const { seen, around } = looks(attack, model);
  const shapes = Object.values(model.predictor.images);
  return [seen, around].some((transform) => transform && shapes.some((shape) => sizeOf(transform.noise(shape)) > 0));
}

/** What noise is for: views of the image where the gradient is taken, or its neighbors. */
export type NoiseStem = "noise" | "around";

/** `noise<draw>.<role>`, or `noise<draw>` where one draw serves all images; without the number where a program sees one draw only. */
export const noiseName = ({ moves }: Transform, draw: number | undefined, role: string, stem: NoiseStem = "noise"): string =>
  moves === "nothing" ? `${stem}${draw ?? ""}.${role}` : `${stem}${draw ?? ""}`;
