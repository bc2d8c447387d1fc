import { Random } from "../../engine/tensor/random.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { parseKittiDisparity } from "../data/formats/kitti.js";
import { parsePfmDisparity, writePfm } from "../data/formats/pfm.js";
import type { Affine } from "../data/synthetic/affine.js";
import { flowBetween } from "../data/synthetic/correspondence.js";
import { encode } from "../data/synthetic/light.js";
import { render } from "../data/synthetic/render.js";
import { disparityPlanes, idOf, imageOf, type Plane, photograph, posesAt, sceneFor } from "../data/synthetic/shots.js";
import { DisparityMetric, type DisparitySample } from "../metrics/disparity.js";
import { anError, collected, finiteOrNull, inPercent, inUnit } from "../metrics/measure.js";
import { disparityRange, renderDisparity } from "../render/disparity.js";
import { drawMaps, scaleLegend } from "../render/drawing.js";
import { displacementsOf } from "../spec/output.js";
import { maskOf, numbersOf, oneOfWords, unknownAs, zeros } from "./numbers.js";
import { columnAlignment, known, l1, l2, residualAlignment, softmaxAlignment, withinScale } from "./regression.js";
import type { Task } from "./task.js";
import { charbonnier, mean } from "./training.js";

/**
 * Stereo disparity: one number for each pixel. The published alignment is constant 1 here (softmax over one channel), so that CosPGD would
 * be PGD; `residual` is the one to use.
 */
export const disparity: Task = {
  name: "disparity",
  predicts: "how far each pixel of the left image lies to the left in the right one",
  roles: ["left", "right"],
  kind: "values",
  extent: "pixels",
  channels: 1,
  unit: "pixels",

  target: ({ shape }) => ({ type: "float32", shape }),
  losses: { l1, l2 },
  trainedLosses: { l1: mean(l1), mse: mean(l2), charbonnier: mean(charbonnier) },
  alignments: { softmax: softmaxAlignment, residual: residualAlignment, columns: columnAlignment },
  correct: withinScale,
  scale: 1,
  judgedBy: "loss",
  ignore: [],
  counted: known,
  masked: true,

  pixelUnits: ["width"],
  valuesBetween: "do not exist",
  surround: "mirrored",
  flips: {
    allowed: ["vertical"],
    because: "Stereo pairs can be mirrored vertically alone: disparities lie along rows and have one sign.",
  },

  output: {
    meanings: ["disparity"],
    fields: ["scale"],
    takes: "first",
    read: ([raw], spec, size) => displacementsOf(raw, spec, size, 1),
  },

  measure: () => ({
    headline: { name: "EPE", better: "lower", perfect: 0 },
    sample: (p, y, valid) => {
      const detail = new DisparityMetric().update(numbersOf(p), numbersOf(y), maskOf(valid));
      return { value: finiteOrNull(detail.endPointError), detail };
    },
    summarize: (samples) => {
      const { perPixel } = collected<DisparitySample, DisparityMetric>(new DisparityMetric(), samples).result();
      return { EPE: perPixel.endPointError, D1: perPixel.d1, "bad-1": perPixel.bad1, "bad-3": perPixel.bad3 };
    },
  }),
  formats: {
    EPE: anError(inUnit(2, "px"), "end-point error: mean distance between predicted and true disparity"),
    D1: anError(inPercent, "share of pixels off by more than 3 px and more than 5 %"),
    "bad-1": anError(inPercent, "share of pixels off by more than 1 px"),
    "bad-3": anError(inPercent, "share of pixels off by more than 3 px"),
  },
  ownTarget: (prediction) => prediction,
  wish: oneOfWords("disparity", { zero: { make: zeros, said: "zero disparity" } }),

  draw: (scene) =>
    drawMaps(scene, (maps) => {
      const range = disparityRange(maps);
      return { legend: scaleLegend(range, "pixels of disparity"), render: (t) => renderDisparity(t, range) };
    }),

  folder: {
    arrangements: [{ inputs: { left: "left", right: "right" }, labels: "labels" }],
    labels: {
      kind: "maps",
      readers: { ".pfm": parsePfmDisparity, ".png": parseKittiDisparity },
      write: (truth) => writePfm(unknownAs(Number.POSITIVE_INFINITY, truth)),
    },
  },
  // A rectified pair of slanted layers; exact everywhere, `valid` marks points seen in both.
  synthetic: {
    make(settings, index) {
      const scene = sceneFor(settings, index, { shadow: "none", content: "several" });
      const left = posesAt(scene, 0);
      const largest = settings.displacement * Math.min(scene.width, scene.height);
      const planes = disparityPlanes(scene, largest, new Random(settings.seed, `synthetic/slants/${index}`));
      const right = left.map((pose, i) => shiftLeft(pose, planes[i]!));
      const first = render(scene, left);
      const { target, valid } = flowBetween(scene, first, left, right);
      const moved = target.data.subarray(0, scene.width * scene.height).map((u) => -u);
      return {
        id: idOf(index),
        inputs: { left: imageOf(scene, encode(first.light)), right: photograph(scene, right) },
        target: tensor("float32", [1, scene.height, scene.width], moved),
        valid,
      };
    },
  },
};

/** A point at x in the left picture lies at x - d in the right one. */
function shiftLeft([a, b, c, d, e, f]: Affine, [slopeX, slopeY, constant]: Plane): Affine {
  return [a - slopeX * a - slopeY * d, b - slopeX * b - slopeY * e, c - slopeX * c - slopeY * f - constant, d, e, f];
}
