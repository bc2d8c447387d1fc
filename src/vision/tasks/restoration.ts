import { clip, concat } from "../../engine/operators/index.js";
import { clampUnitTensor } from "../../engine/tensor/arrays.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { encode, encodedMean } from "../data/synthetic/light.js";
import { render } from "../data/synthetic/render.js";
import { idOf, imageOf, posesAt, sceneFor } from "../data/synthetic/shots.js";
import { finiteOrNull, inUnit, named } from "../metrics/measure.js";
import { RestorationMetric, type RestorationSample } from "../metrics/restoration.js";
import { drawMaps } from "../render/drawing.js";
import { renderRestoration } from "../render/restoration.js";
import { SizeError, SpecError } from "../spec/error.js";
import { fromRange, mapOf, swapRedBlue } from "../spec/output.js";
import { known, l1, l2, residualAlignment, softmaxAlignment, withinScale } from "./regression.js";
import { type Alignment, type PixelFunction, type Task, WishError } from "./task.js";
import { charbonnier, mean, negativePsnr } from "./training.js";

/** The restored image is clamped to [0, 1] before the loss, as the published evaluation does. (Training's losses are not: a gradient must reach values outside.) */
const clamped =
  (f: PixelFunction): PixelFunction =>
  (prediction, target, options) =>
    f(clip(prediction, 0, 1), target, options);

const both = ({ cosine, complement }: Alignment): Alignment => ({ cosine: clamped(cosine), complement: clamped(complement) });

/** Image restoration (deblurring, denoising, ...): an image for an image, intensities in [0, 1]. */
export const restoration: Task = {
  name: "restoration",
  predicts: "the picture without blur, noise or rain",
  roles: ["image"],
  kind: "picture",
  extent: "pixels",
  channels: 3,
  unit: "intensity in [0, 1]",

  target: ({ shape }) => ({ type: "float32", shape }),
  losses: { l1: clamped(l1), l2: clamped(l2) },
  trainedLosses: {
    l1: mean(l1),
    mse: mean(l2),
    charbonnier: mean(charbonnier),
    psnr: { perPixel: l2, reduce: negativePsnr },
  },
  alignments: { softmax: both(softmaxAlignment), residual: both(residualAlignment) },
  correct: clamped(withinScale),
  // Restored intensities are off by a few hundredths where a network does well; 1 would call every pixel right.
  scale: 0.05,
  judgedBy: "loss",
  ignore: [],
  counted: known,
  masked: false,

  pixelUnits: [],
  valuesBetween: "exist",
  surround: "mirrored",
  flips: { allowed: ["horizontal", "vertical", "diagonal"] },

  output: {
    meanings: ["picture"],
    fields: ["range", "channels"],
    takes: "first",
    read([raw], spec, [height, width]) {
      const { output } = spec;
      const nchw = mapOf(raw, spec);
      const channels = output.channels === "gray" ? 1 : 3;
      if (nchw.shape[1] !== channels)
        throw new SpecError(
          `Output "${raw.name}" has ${nchw.shape[1]} channels; ${output.channels === "gray" ? "a gray restored image has 1" : "restoration has 3 (1 where output.channels is gray)"}. Is it another task, another output (output.name) or the other layout?`,
        );
      const ranged = fromRange(output.channels === "bgr" ? swapRedBlue(nchw) : nchw, output.range);
      const image = output.channels === "gray" ? concat([ranged, ranged, ranged], 1) : ranged;
      if (image.shape[2] !== height || image.shape[3] !== width) {
        throw new SizeError(
          `The restored image is ${image.shape[3]}x${image.shape[2]} for an input of ${width}x${height}; restoration keeps the size.`,
        );
      }
      return image;
    },
  },

  measure: () => ({
    headline: { name: "PSNR", better: "higher", perfect: Number.POSITIVE_INFINITY },
    sample: (p, y) => {
      const [restored, sharp] = [clampUnitTensor(p), y as Tensor<"float32">];
      const rgb = new RestorationMetric().update(restored, sharp);
      const luma = new RestorationMetric({ channels: "luma" }).update(restored, sharp);
      return { value: finiteOrNull(rgb.psnr), detail: { rgb, luma } };
    },
    summarize: (samples) => {
      const details = samples.map((s) => s.detail as { rgb: RestorationSample; luma: RestorationSample });
      const [rgb, luma] = [new RestorationMetric(), new RestorationMetric({ channels: "luma" })];
      for (const d of details) {
        rgb.restore(d.rgb);
        luma.restore(d.luma);
      }
      return { PSNR: rgb.result().psnr, SSIM: rgb.result().ssim, "PSNR Y": luma.result().psnr, "SSIM Y": luma.result().ssim };
    },
  }),
  formats: {
    PSNR: named(
      inUnit(2, "dB", "∞"),
      "peak signal-to-noise ratio: 10 log10 of 1 over the mean squared error, intensities being in [0, 1]",
    ),
    SSIM: named(inUnit(4), "structural similarity, 1 for equal pictures"),
    "PSNR Y": named(inUnit(2, "dB", "∞"), "PSNR of the luma alone"),
    "SSIM Y": named(inUnit(4), "SSIM of the luma alone"),
  },
  ownTarget: clampUnitTensor,
  wish: {
    takes: "an image file of the prediction's size",
    async read(word, picture) {
      const image = await picture(word);
      return (prediction) => {
        if (image.shape[1] !== prediction.shape[1] || image.shape[2] !== prediction.shape[2]) {
          throw new WishError(
            `--target ${word}: the image is ${image.shape[2]}x${image.shape[1]}, the prediction ${prediction.shape[2]}x${prediction.shape[1]}; they must agree.`,
          );
        }
        return image;
      };
    },
    say: (word) => word,
  },

  draw: (scene) => drawMaps(scene, () => ({ legend: undefined, render: renderRestoration })),

  folder: {
    arrangements: [
      { inputs: { image: "images" }, labels: "labels" },
      { inputs: { image: "input" }, labels: "target" },
      { inputs: { image: "blur" }, labels: "sharp" },
      { inputs: { image: "" } },
    ],
    labels: { kind: "pictures" },
  },
  // The picture is the mean of `subframes` frames of one exposure, the truth the middle frame.
  synthetic: {
    exposures: true,
    make({ subframes, averaging, ...settings }, index) {
      const scene = sceneFor({ subframes, averaging, ...settings }, index, { shadow: "soft", content: "several" });
      const frames = Array.from(
        { length: subframes },
        (_, i) => render(scene, posesAt(scene, subframes === 1 ? 0 : i / (subframes - 1) - 0.5)).light,
      );
      return {
        id: idOf(index),
        inputs: { image: imageOf(scene, encodedMean(frames, averaging)) },
        target: imageOf(scene, encode(frames[(subframes - 1) / 2]!)),
      };
    },
  },
};
