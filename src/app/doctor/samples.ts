import type { Tensor } from "../../engine/tensor/tensor.js";
import { conversionText, countConversions } from "../../vision/data/conversions.js";
import type { Dataset, Sample } from "../../vision/data/dataset.js";
import { DataError } from "../../vision/data/error.js";
import { fitted } from "../../vision/data/fit.js";
import { type Extent, framing, type Mismatch, surroundText } from "../../vision/framed-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { type Fit, type Prepared, prepare, withPictures } from "../attack/prepare.js";
import { type Finding, good, unsure } from "./finding.js";

/** Samples that a model sees in one size, as it is tested with them. */
export interface LookedAt {
  readonly samples: readonly Prepared[];
  /** How the predictor brings them to the size that the model takes. */
  readonly mismatch: Mismatch;
  /** On how pictures come to the model's size, and on their colors. */
  readonly findings: readonly Finding[];
}

/**
 * A few samples, spread over the data set, as an attack would have them. Labels keep the data set's numbers.
 *
 * @param leftOut is told of samples that cannot be read.
 * @throws DataError where none can be read.
 */
export async function lookAt(
  whole: Dataset,
  spec: ModelSpec,
  fit: Fit,
  count: number,
  leftOut: (why: string) => void,
): Promise<LookedAt> {
  const dataset = withPictures(whole, fit);
  const taken = Math.min(count, dataset.length);
  const unshifted = { ...spec, labelOffset: 0 };
  const samples: Prepared[] = [];
  const pictures: Extent[] = [];
  const mismatch = fit.mismatch === "tile" ? "pad" : fit.mismatch;
  const tiled = fit.mismatch === "tile";
  let side: Extent | undefined = tiled ? fit.tiles : undefined;
  for (let i = 0; i < taken; i++) {
    const index = Math.floor((i * dataset.length) / taken);
    const sample = await dataset.sample(index).catch((error: unknown) => {
      if (error instanceof DataError) leftOut(error.message);
      else throw error;
    });
    if (!sample) continue;
    const picture = extentOf(sample);
    // The model is looked at in one size, so that others are cut to the first one's, their shape kept; a fixed one sees all in its size anyway.
    const same = side && (tiled || spec.size.rule !== "fixed") ? await cover(dataset, sample, side) : sample;
    samples.push(prepare(same, index, tasks[spec.task].roles, unshifted, { mismatch }));
    pictures.push(picture);
    side ??= picture;
  }
  if (samples.length === 0) throw new DataError(`Not one of the ${taken} samples that were tried can be read.`);
  return { samples, mismatch, findings: [onSizes(pictures, spec, fit), ...onColors(samples, spec), ...onFiles(samples)] };
}

const extentOf = ({ inputs }: Sample): Extent => {
  const [, height, width] = Object.values(inputs)[0]!.shape as [number, number, number];
  return { height, width };
};

/** The middle of a sample at another size, scaled as little as covers it. */
async function cover(dataset: Dataset, sample: Sample, { height, width }: Extent): Promise<Sample> {
  const from = extentOf(sample);
  if (from.height === height && from.width === width) return sample;
  const scale = Math.max(height / from.height, width / from.width);
  const shorter = Math.ceil(Math.min(from.height, from.width) * scale);
  const one: Dataset = { ...dataset, sample: async () => sample };
  return fitted(fitted(one, { kind: "resize-shorter", side: shorter }), { kind: "crop", height, width }).sample(0);
}

/** Whether pictures without color are shown to a model of color, which its training may not have known. */
function onColors(samples: readonly Prepared[], { channels }: ModelSpec): Finding[] {
  const isGray = ({ data, shape }: Tensor<"float32">) => {
    const plane = shape[1]! * shape[2]!;
    return data.every((v, i) => v === data[i % plane]);
  };
  if (channels === "gray" || !samples.every(({ images }) => Object.values(images).every(isGray))) return [];
  return [
    unsure(
      "colors",
      `All ${samples.length} pictures are gray, and the model takes ${channels}: each of the three channels gets the same intensities.`,
    ),
  ];
}

/** Whether files hold more than what is shown to the model. */
function onFiles(samples: readonly Prepared[]): Finding[] {
  const counts = countConversions(samples.map(({ converted }) => converted ?? []));
  if (Object.keys(counts).length === 0) return [];
  return [
    unsure("files", `Of ${samples.length} pictures ${conversionText(counts, "rounded to 8")}: was the model trained on such?`),
  ];
}

/** What happens to the pictures on their way to the model. */
function onSizes(pictures: readonly Extent[], spec: ModelSpec, fit: Fit): Finding {
  const subject = "pictures";
  const text = ({ height, width }: Extent) => `${height}x${width}`;
  const [first] = pictures as [Extent];
  const various = pictures.some((p) => text(p) !== text(first));
  const which = `${various ? "Pictures differ in size; the first is" : "Pictures are"} ${text(first)} (height x width)`;
  if (fit.mismatch === "tile") return good(subject, `${which}, and are predicted in tiles of ${text(fit.tiles)}.`);
  const { scaled, seen } = framing(first, spec.size, fit.mismatch);
  const steps = [
    ...(text(scaled) === text(first) ? [] : [`scaled to ${text(scaled)}${fit.mismatch === "pad" ? ", their shape kept" : ""}`]),
    ...(text(seen) === text(scaled) ? [] : [`${surroundText(tasks[spec.task])} to ${text(seen)}`]),
  ];
  if (steps.length === 0) return good(subject, `${which}, which the model takes as they are.`);
  const stretch = (scaled.width / scaled.height) * (first.height / first.width);
  const sentence = `${which}: ${steps.join(" and ")} for the model.`;
  if (Math.abs(Math.log(stretch)) > 0.05)
    return unsure(
      subject,
      `${sentence} That ${stretch > 1 ? "widens" : "narrows"} their shape by ${Math.max(stretch, 1 / stretch).toFixed(2)}, as --mismatch resize asks.`,
    );
  return good(subject, `${sentence} --resize, --crop or --mismatch say otherwise.`);
}
