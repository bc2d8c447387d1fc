import type { OnnxModel } from "../../engine/onnx/model.js";
import { stack, unstack } from "../../engine/tensor/arrays.js";
import { Random } from "../../engine/tensor/random.js";
import { describe, sizeOf, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { readTensors } from "../../engine/tensor/tensor-files.js";
import type { ProbeBatch } from "../../methods/criticality/measure-resets.js";
import type { Dataset } from "../../vision/data/dataset.js";
import { frameImage, framing } from "../../vision/framed-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { type Prepared, prepare, withPictures } from "../attack/prepare.js";
import { UsageError } from "../cli/errors.js";
import type { CriticalityPlan } from "./plan.js";
import { shorten } from "./units.js";

/** Images of one size with their labels, wherever they come from. */
export interface ImageSource {
  readonly length: number;
  readonly height: number;
  readonly width: number;
  readonly labeled: boolean;
  /** Whether the first image lost its shape on the way to the size. */
  readonly stretched: boolean;
  /** Images [from, to) by role [N, 3, H, W], labels int64 [N, ...] (-1: none), and what counts float32 [N, ...]. */
  read(from: number, to: number): Promise<ImageSet>;
}

interface ImageSet {
  readonly images: Readonly<Record<string, Tensor<"float32">>>;
  readonly labels: Tensor<"int64">;
  readonly weight: Tensor<"float32">;
}

/**
 * Images from a data set: a seeded choice where a limit is set (folders are sorted by class, the first ones would be of one class).
 *
 * @throws UsageError when images differ in size.
 */
export async function datasetImages(dataset: Dataset, data: DatasetPart, spec: ModelSpec, seed: number): Promise<ImageSource> {
  const fit = withPictures(dataset, data);
  const order = new Random(seed, "criticality/images").permutation(dataset.length);
  const indices = data.limit ? order.slice(0, data.limit).sort((a, b) => a - b) : order.sort((a, b) => a - b);
  const { roles } = tasks[spec.task];
  // Classes of whole images are what they are in any size, so that each picture may come to the model from a size of its own; maps are brought back to
  // the picture, within the graph, which is for one size.
  const whole = tasks[spec.task].extent === "image";
  const one = async (index: number): Promise<Prepared> => {
    const picture = prepare(await fit.sample(index), index, roles, spec, { mismatch: data.mismatch });
    if (!whole) return picture;
    const way = framing(picture, spec.size, data.mismatch);
    const images = Object.entries(picture.images).map(([role, image]) => [role, frameImage(image, way, tasks[spec.task])]);
    return { ...picture, images: Object.fromEntries(images), ...way.seen };
  };
  const picture = prepare(await fit.sample(indices[0]!), indices[0]!, roles, spec, { mismatch: data.mismatch });
  const { scaled } = framing(picture, spec.size, data.mismatch);
  const first = await one(indices[0]!);
  const { height, width } = first;
  return {
    length: indices.length,
    height,
    width,
    labeled: first.target !== undefined && hasClasses(spec),
    stretched: Math.abs(Math.log((scaled.width / scaled.height) * (picture.height / picture.width))) > 0.05,
    async read(from, to) {
      const samples = await Promise.all(indices.slice(from, to).map(one));
      for (const { id, height: h, width: w } of samples) {
        if (h !== height || w !== width)
          throw new UsageError(
            `${id} is ${w}x${h}, but ${first.id} is ${width}x${height}; bring all to one size with --resize HxW, or --shorter N and --crop HxW.`,
          );
      }
      const pixels = whole ? [] : [height, width];
      return {
        images: Object.fromEntries(roles.map((role) => [role, stack(samples.map((s) => s.images[role]!))])),
        labels: stack(samples.map((s) => labelsOf(hasClasses(spec) ? s.target : undefined, pixels))),
        weight: stack(samples.map((s) => weightOf(s, pixels, spec))),
      };
    },
  };
}

type DatasetPart = Extract<CriticalityPlan["data"], { kind: "dataset" }>;

const hasClasses = (spec: ModelSpec): boolean => tasks[spec.task].kind === "classes";

function labelsOf(target: Tensor | undefined, pixels: readonly number[]): Tensor<"int64"> {
  return target ? tensor("int64", pixels, toNumbers(target)) : tensor("int64", pixels, new Array(sizeOf(pixels)).fill(-1));
}

function weightOf({ target, valid }: Prepared, pixels: readonly number[], spec: ModelSpec): Tensor<"float32"> {
  const weight = tensor("float32", pixels, new Array(sizeOf(pixels)).fill(1));
  if (tasks[spec.task].extent === "image") return weight;
  const ignored = new Set(spec.ignore);
  const labels = target && hasClasses(spec) ? toNumbers(target) : undefined;
  for (let i = 0; i < weight.data.length; i++)
    if ((valid && valid.data[i]! < 0.5) || (labels && ignored.has(labels[i]!))) weight.data[i] = 0;
  return weight;
}

/**
 * Images from a safetensors file: "images" (or the role's or the model input's name, or the only tensor), and "labels" where there are any.
 *
 * @throws UsageError when there is no such tensor, or it is no batch of images.
 */
export async function tensorImages(path: string, spec: ModelSpec, model: OnnxModel): Promise<ImageSource> {
  const tensors = await readTensors(path);
  const { roles } = tasks[spec.task];
  const inputs = model.graph.inputs.filter((i) => !model.graph.initializers.has(i.name)).map((i) => i.name);
  const known = (...names: readonly string[]) => names.map((n) => tensors.get(n)).find((t) => t !== undefined);
  const images = Object.fromEntries(
    roles.map((role, i) => {
      const single = roles.length === 1;
      const names = [role, ...(single ? ["images", "input", "inputs", "x"] : [`image_${i + 1}`]), inputs[i] ?? ""];
      const t = known(...names) ?? (single && tensors.size === 1 ? [...tensors.values()][0] : undefined);
      if (!t)
        throw new UsageError(
          `${path} has no tensor for "${role}" (tried ${names.filter(Boolean).join(", ")}); it has ${shorten([...tensors.keys()])}.`,
        );
      if (t.shape.length !== 4 || t.shape[1] !== 3)
        throw new UsageError(`${path}: images are [batch, 3, height, width] in [0, 1], not ${describe(t)}.`);
      const image = tensor("float32", t.shape, Float32Array.from(toNumbers(t)));
      const beyond = image.data.find((v) => !(v >= -1e-6 && v <= 1 + 1e-6));
      if (beyond !== undefined)
        throw new UsageError(
          `${path} holds the value ${beyond}; images are in [0, 1] here whatever the model takes, and --range says what that is.`,
        );
      return [role, image];
    }),
  );
  const [length, , height, width] = images[roles[0]!]!.shape as [number, number, number, number];
  const given = hasClasses(spec) ? known("labels", "label", "target", "targets") : undefined;
  const pixels = tasks[spec.task].extent === "image" ? [] : [height, width];
  const expected = [length, ...pixels];
  if (given && sizeOf(given.shape) !== sizeOf(expected))
    throw new UsageError(`${path}: labels are [${expected.join(", ")}], not ${describe(given)}.`);
  const part = <T extends Tensor>(t: T, from: number, to: number): T => stack(range(from, to).map((i) => unstack(t, i)));
  const labels = given && tensor("int64", expected, toNumbers(given));
  return {
    length,
    height,
    width,
    labeled: labels !== undefined,
    stretched: false,
    read: async (from, to) => ({
      images: Object.fromEntries(Object.entries(images).map(([role, t]) => [role, part(t, from, to)])),
      labels: labels ? part(labels, from, to) : stack(range(from, to).map(() => labelsOf(undefined, pixels))),
      weight: stack(
        range(from, to).map((i) => {
          const target = labels && unstack(labels, i);
          return weightOf({ target, valid: undefined } as unknown as Prepared, pixels, spec);
        }),
      ),
    }),
  };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Images [from, to) as batches of the model's size; the last is filled up with repetitions that do not count. */
export async function batchesOf(
  source: ImageSource,
  from: number,
  to: number,
  batch: number,
  classes: boolean,
): Promise<ProbeBatch[]> {
  const batches: ProbeBatch[] = [];
  for (let start = from; start < to; start += batch) {
    const end = Math.min(start + batch, to);
    const { images, labels, weight } = await source.read(start, end);
    const filled = <T extends Tensor>(t: T): T =>
      end - start === batch ? t : stack(range(0, batch).map((i) => unstack(t, Math.min(i, end - start - 1))));
    const full = filled(weight);
    full.data.fill(0, (full.data.length / batch) * (end - start));
    batches.push({
      images: Object.fromEntries(Object.entries(images).map(([role, t]) => [role, filled(t)])),
      weight: full,
      ...(classes && { labels: filled(labels) }),
    });
  }
  return batches;
}
