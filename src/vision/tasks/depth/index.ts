import { clip, mul, reciprocal } from "../../../engine/operators/index.js";
import { sizeOf, tensor } from "../../../engine/tensor/tensor.js";
import { anError, collected, finiteOrNull, inPercent, inUnit, named } from "../../metrics/measure.js";
import { disparityRange, renderDisparity } from "../../render/disparity.js";
import { drawMaps, scaleLegend } from "../../render/drawing.js";
import { resizedTo, valuesOf } from "../../spec/output.js";
import { maskOf, numbersOf } from "../numbers.js";
import { known, l1, l2 } from "../regression.js";
import { type Task, WishError } from "../task.js";
import { mean } from "../training.js";
import { parseDepthPfm, parseDepthPng, writeDepthPng } from "./files.js";
import { leastDepth, logResidualAlignment, scaleAndShiftInvariant, scaleInvariantLog, withinFactor } from "./losses.js";
import { DepthMetric, type DepthSample } from "./metric.js";
import { depthScene } from "./synthetic.js";

/** Monocular depth: the distance of what each pixel shows from the camera's plane, in meters. */
export const depth: Task = {
  name: "depth",
  predicts: "the distance of what each pixel shows",
  roles: ["image"],
  kind: "values",
  extent: "pixels",
  channels: 1,
  unit: "natural logarithm of a factor",

  target: ({ shape }) => ({ type: "float32", shape }),
  losses: { l1, l2, "scale-and-shift-invariant": scaleAndShiftInvariant, "scale-invariant-log": scaleInvariantLog },
  trainedLosses: {
    l1: mean(l1),
    mse: mean(l2),
    "scale-and-shift-invariant": mean(scaleAndShiftInvariant),
    "scale-invariant-log": mean(scaleInvariantLog),
  },
  alignments: { residual: logResidualAlignment },
  correct: withinFactor,
  // A factor of 1.25, up to which the field counts a depth as right.
  scale: Math.log(1.25),
  judgedBy: "loss",
  ignore: [],
  counted: known,
  masked: true,

  // A picture that is scaled shows what it shows at the same distance.
  pixelUnits: [],
  valuesBetween: "do not exist",
  surround: "mirrored",
  flips: { allowed: ["horizontal", "vertical", "diagonal"] },

  output: {
    meanings: ["depth", "inverse-depth"],
    fields: ["scale", "align"],
    takes: "first",
    read([raw], spec, [height, width]) {
      const { meaning, scale } = spec.output;
      const map = resizedTo(valuesOf(raw, spec, 1), height, width);
      const scaled = scale === 1 ? map : mul(map, scale);
      // Beyond 10 km all is one distance.
      return meaning === "inverse-depth" ? reciprocal(clip(scaled, 1e-4)) : scaled;
    },
  },

  measure({ output }) {
    const fresh = () => new DepthMetric({ align: output?.align ?? "none", meaning: output?.meaning ?? "depth" });
    return {
      headline: { name: "AbsRel", better: "lower", perfect: 0 },
      sample: (p, y, valid) => {
        const detail = fresh().update(numbersOf(p), numbersOf(y), maskOf(valid));
        return { value: finiteOrNull(detail.absRel), detail };
      },
      summarize: (samples) => {
        const { perSample } = collected<DepthSample, DepthMetric>(fresh(), samples).result();
        return {
          AbsRel: perSample.absRel,
          SqRel: perSample.sqRel,
          RMSE: perSample.rmse,
          "RMSE log": perSample.rmseLog,
          "delta < 1.25": perSample.delta1,
          "delta < 1.25^2": perSample.delta2,
          "delta < 1.25^3": perSample.delta3,
        };
      },
    };
  },
  formats: {
    AbsRel: anError(inUnit(3), "mean of the error over the true depth"),
    SqRel: anError(inUnit(3, "m"), "mean of the squared error over the true depth"),
    RMSE: anError(inUnit(3, "m"), "root of the mean squared error"),
    "RMSE log": anError(inUnit(3), "root of the mean squared error of the logarithms"),
    "delta < 1.25": named(inPercent, "share of pixels whose depth is off by a factor below 1.25"),
    "delta < 1.25^2": named(inPercent, "share of pixels whose depth is off by a factor below 1.56"),
    "delta < 1.25^3": named(inPercent, "share of pixels whose depth is off by a factor below 1.95"),
  },
  ownTarget: (prediction) =>
    tensor(
      "float32",
      prediction.shape,
      numbersOf(prediction).map((d) => Math.max(d, leastDepth)),
    ),
  wish: {
    takes: "a distance in meters that everything should seem to have",
    async read(word) {
      const meters = Number(word);
      if (!(meters > 0 && Number.isFinite(meters)))
        throw new WishError(`--target ${word}: depth takes a distance in meters above 0 that everything should seem to have.`);
      return ({ shape }) => tensor("float32", shape, new Float32Array(sizeOf(shape)).fill(meters));
    },
    say: (word) => `a wall at ${word} m`,
  },

  draw: (scene) =>
    drawMaps(scene, (maps) => {
      const range = disparityRange(maps);
      return { legend: scaleLegend(range, "meters, from near to far"), render: (t) => renderDisparity(t, range) };
    }),

  folder: {
    arrangements: [
      { inputs: { image: "images" }, labels: "labels" },
      { inputs: { image: "rgb" }, labels: "depth" },
      { inputs: { image: "" } },
    ],
    labels: {
      kind: "maps",
      readers: { ".png": (bytes) => parseDepthPng(bytes, "millimeters"), ".pfm": parseDepthPfm },
      write: (truth) => writeDepthPng(truth, "millimeters"),
    },
  },
  synthetic: { make: depthScene },
};
