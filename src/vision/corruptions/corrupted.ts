import { Random } from "../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Dataset } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { sizeOfImage } from "../data/image.js";
import { type Corruption, clip, type Picture, type Severity } from "./corruption.js";

/** What is done to pictures. */
export interface Corrupting {
  readonly corruption: Corruption;
  readonly severity: Severity;
  /** Default 0. */
  readonly seed?: number | string;
  /** Float32 [3, H, W] in [0, 1] of any size; for corruptions that lay pictures over the image. */
  readonly overlays?: readonly Tensor<"float32">[];
}

/**
 * A picture under a corruption. The result is what an 8-bit file of it holds, each value a whole number of 255ths, so that corrupting on the way to a
 * model and reading a file that was corrupted before are the same.
 *
 * @param image float32 [3, H, W] in [0, 1], of any size.
 * @param name of the picture: its random numbers depend on it, the seed, the corruption and its severity alone.
 * @returns float32 [3, H, W] in [0, 1].
 * @throws DataError where the corruption needs pictures to lay over and there are none, or `image` is no image.
 * @example corruptImage(image, "street/0001.png", { corruption: corruptions.fog!, severity: 3 })
 */
export function corruptImage(
  image: Tensor<"float32">,
  name: string,
  { corruption, severity, seed = 0, overlays = [] }: Corrupting,
): Tensor<"float32"> {
  if (corruption.overlays && overlays.length === 0)
    throw new DataError(`${corruption.name} lays ${corruption.overlays} over the image, and none were given.`);
  const random = new Random(seed, `corruption/${corruption.name}/${severity}/${name}`);
  const strength = corruption.strengths[severity - 1];
  const { planes } = corruption.apply(pictureOf(image), strength, random, overlays.map(pictureOf));
  const result = new Float32Array(image.data.length);
  for (const [c, plane] of planes.entries()) result.set(plane.map(inEightBits), c * plane.length);
  return tensor("float32", image.shape, result);
}

/** ImageNet-C cuts off what is below a level rather than rounding; a little is added for what float32 makes of whole levels. */
const inEightBits = (v: number): number => Math.floor(clip(v) * 255 + 1e-4) / 255;

function pictureOf(image: Tensor<"float32">): Picture {
  const { height, width } = sizeOfImage(image);
  const area = height * width;
  return { height, width, planes: [0, 1, 2].map((c) => image.data.slice(c * area, (c + 1) * area)) };
}

/**
 * A data set whose images are corrupted as they are read; truths stay. Both images of a pair get the same corruption with random numbers of their own,
 * as FlowBench and DispBench have it.
 */
export function corruptedDataset(dataset: Dataset, corrupting: Corrupting): Dataset {
  const { name, severity } = { name: corrupting.corruption.name, severity: corrupting.severity };
  return {
    ...dataset,
    describe: () => `${dataset.describe()} Corrupted by ${name}, severity ${severity}.`,
    async sample(index) {
      const sample = await dataset.sample(index);
      const roles = Object.entries(sample.inputs);
      const inputs = roles.map(([role, image]) => [
        role,
        corruptImage(image, roles.length > 1 ? `${sample.id}/${role}` : sample.id, corrupting),
      ]);
      return { ...sample, inputs: Object.fromEntries(inputs) };
    },
  };
}
