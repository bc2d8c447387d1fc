import type { ModelSpecInput } from "../../vision/spec/model-spec.js";

/** The specification of one of our networks, written as a model for one image size: whatever is not said here is a specification's default. */
export function networkSpec(
  task: ModelSpecInput["task"],
  [height, width]: readonly [height: number, width: number],
  imageChannels: number | undefined,
): ModelSpecInput {
  return {
    task,
    size: { rule: "fixed", height, width },
    ...(imageChannels === 1 && {
      channels: "gray",
      ...(task === "restoration" && { output: { channels: "gray" } }),
    }),
  };
}
