import { type ModelSpec, type ModelSpecInput, parseModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";

/** The complete specification of one of our networks, written as a model for one image size: nothing of it is left to be assumed. */
export function networkSpec(
  task: ModelSpecInput["task"],
  [height, width]: readonly [height: number, width: number],
  imageChannels: number | undefined,
): ModelSpec {
  return parseModelSpec({
    task,
    size: { rule: "fixed", height, width },
    ...(imageChannels === 1 && {
      channels: "gray",
      ...(tasks[task].kind === "picture" && { output: { channels: "gray" } }),
    }),
  });
}
