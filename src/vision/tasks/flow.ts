import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { parseFlo, writeFlo } from "../data/formats/flo.js";
import { parseKittiFlow } from "../data/formats/kitti.js";
import { parsePfmFlow } from "../data/formats/pfm.js";
import { flowBetween } from "../data/synthetic/correspondence.js";
import { encode } from "../data/synthetic/light.js";
import { render } from "../data/synthetic/render.js";
import { idOf, imageOf, photograph, posesAt, sceneFor } from "../data/synthetic/shots.js";
import { FlowMetric, type FlowSample } from "../metrics/flow.js";
import { anError, collected, finiteOrNull, inPercent, inUnit } from "../metrics/measure.js";
import { drawMaps } from "../render/drawing.js";
import { flowRadius, renderFlow } from "../render/flow.js";
import { displacementsOf } from "../spec/output.js";
import { maskOf, negated, numbersOf, oneOfWords, unknownAs, zeros } from "./numbers.js";
import { endPointError, known, l1, l2, residualAlignment, softmaxAlignment, withinScale } from "./regression.js";
import type { Task, Turn } from "./task.js";
import { charbonnier, mean } from "./training.js";

/** Optical flow: the motion of each pixel from the first to the second image, (right, down), in pixels. */
export const flow: Task = {
  name: "flow",
  predicts: "the motion of each pixel from one image to the next, (right, down)",
  roles: ["image1", "image2"],
  kind: "values",
  extent: "pixels",
  channels: 2,
  unit: "pixels",

  target: ({ shape }) => ({ type: "float32", shape }),
  losses: { "end-point-error": endPointError, l1, l2 },
  trainedLosses: { "end-point-error": mean(endPointError), l1: mean(l1), mse: mean(l2), charbonnier: mean(charbonnier) },
  alignments: { softmax: softmaxAlignment, residual: residualAlignment },
  correct: withinScale,
  scale: 1,
  judgedBy: "loss",
  ignore: [],
  counted: known,
  masked: true,

  pixelUnits: ["width", "height"],
  valuesBetween: "do not exist",
  surround: "mirrored",
  flips: { allowed: ["horizontal", "vertical", "diagonal"] },
  turned,

  output: {
    meanings: ["displacement"],
    fields: ["scale"],
    takes: "first",
    read: ([raw], spec, size) => displacementsOf(raw, spec, size, 2),
  },

  measure: () => ({
    headline: { name: "EPE", better: "lower", perfect: 0 },
    sample: (p, y, valid) => {
      const detail = new FlowMetric().update(numbersOf(p), numbersOf(y), maskOf(valid));
      return { value: finiteOrNull(detail.endPointError), detail };
    },
    summarize: (samples) => {
      const { perPixel } = collected<FlowSample, FlowMetric>(new FlowMetric(), samples).result();
      return {
        EPE: perPixel.endPointError,
        "1 px": perPixel.above1,
        "3 px": perPixel.above3,
        "5 px": perPixel.above5,
        "Fl-all (KITTI, and)": perPixel.flAll,
        "f1-all (published, or)": perPixel.flAllEither,
      };
    },
  }),
  formats: {
    EPE: anError(inUnit(2, "px"), "end-point error: mean distance between predicted and true motion"),
    "1 px": anError(inPercent, "share of pixels off by more than 1 px"),
    "3 px": anError(inPercent, "share of pixels off by more than 3 px"),
    "5 px": anError(inPercent, "share of pixels off by more than 5 px"),
    "Fl-all (KITTI, and)": anError(inPercent, "share of pixels off by more than 3 px and more than 5 %, as KITTI counts"),
    "f1-all (published, or)": anError(
      inPercent,
      "share of pixels off by more than 3 px or more than 5 %, as some published code counts",
    ),
  },
  ownTarget: (prediction) => prediction,
  wish: oneOfWords("flow", {
    zero: { make: zeros, said: "zero flow" },
    negative: { make: negated, said: "the opposite of its own flow", note: "of the clean prediction" },
  }),

  draw: (scene) =>
    drawMaps(scene, (maps) => {
      const pixels = flowRadius(maps);
      return { legend: { kind: "wheel", pixels }, render: (t) => renderFlow(t, pixels) };
    }),

  folder: {
    arrangements: [
      { inputs: { image1: "image1", image2: "image2" }, labels: "labels" },
      { inputs: { image1: "images" }, labels: "labels" },
      { inputs: { image1: "" } },
    ],
    labels: {
      kind: "maps",
      readers: { ".flo": parseFlo, ".pfm": parsePfmFlow, ".png": parseKittiFlow },
      // A .flo file says "unknown" by values beyond 1e9.
      write: (truth) => writeFlo(unknownAs(1e10, truth)),
    },
    frames: true,
  },
  // Two frames; the flow is exact everywhere, `valid` marks points seen in both.
  synthetic: {
    make(settings, index) {
      const scene = sceneFor(settings, index, { shadow: "none", content: "several" });
      const [from, to] = [posesAt(scene, 0), posesAt(scene, 1)];
      const first = render(scene, from);
      return {
        id: idOf(index),
        inputs: { image1: imageOf(scene, encode(first.light)), image2: photograph(scene, to) },
        ...flowBetween(scene, first, from, to),
      };
    },
  },
};

/** A mirrored picture moves the other way, (u, v) becomes (-u, v), and in a transposed one (u, v) becomes (v, u). */
function turned(target: Tensor, { mirrored, upsideDown, transposed }: Turn): Tensor {
  const data = (target.data as Float32Array).slice();
  const plane = data.length / 2;
  if (mirrored) for (let i = 0; i < plane; i++) data[i] = -data[i]!;
  if (upsideDown) for (let i = plane; i < data.length; i++) data[i] = -data[i]!;
  if (!transposed) return tensor("float32", target.shape, data);
  const swapped = new Float32Array(data.length);
  swapped.set(data.subarray(plane));
  swapped.set(data.subarray(0, plane), plane);
  return tensor("float32", target.shape, swapped);
}
