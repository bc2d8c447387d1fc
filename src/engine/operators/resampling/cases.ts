import { tensor } from "../../tensor/tensor.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import { type DftOptions, dft } from "./dft.js";
import { type GridSampleOptions, gridSample } from "./grid-sample.js";
import { type ResizeOptions, resize } from "./resize.js";

const spatial = { axes: [2, 3] };

const resizes: Readonly<Record<string, ResizeOptions & { readonly x?: readonly number[] }>> = {
  "nearest, twice": { scales: [1, 1, 2, 3], coordinates: "asymmetric", nearest: "floor" },
  "nearest, twice, half pixel": { ...spatial, scales: [2, 2] },
  "nearest, one axis": { axes: [3], scales: [4] },
  "nearest, smaller": { ...spatial, sizes: [3, 2], nearest: "ceil" },
  "nearest, not whole": { ...spatial, sizes: [7, 9], nearest: "round_prefer_ceil" },
  "nearest, corners": { ...spatial, sizes: [7, 9], coordinates: "align_corners", nearest: "floor" },
  "nearest, crop with extrapolation": {
    ...spatial,
    sizes: [5, 6],
    coordinates: "tf_crop_and_resize",
    region: [0.1, -0.3, 0.8, 1.2],
    extrapolation: 7,
  },
  "linear, twice": { ...spatial, scales: [2, 2], mode: "linear" },
  "linear, by scales that do not come out": { ...spatial, scales: [1.6, 0.7], mode: "linear" },
  "linear, smaller": { ...spatial, sizes: [3, 2], mode: "linear", coordinates: "pytorch_half_pixel" },
  "linear, to one": { ...spatial, sizes: [1, 1], mode: "linear", coordinates: "pytorch_half_pixel" },
  "linear, corners": { ...spatial, sizes: [7, 9], mode: "linear", coordinates: "align_corners" },
  "linear, asymmetric": { ...spatial, sizes: [7, 3], mode: "linear", coordinates: "asymmetric" },
  "linear, antialiased": { ...spatial, sizes: [2, 3], mode: "linear", downsampling: "antialias" },
  "linear, antialiased, outside excluded": {
    ...spatial,
    sizes: [2, 3],
    mode: "linear",
    downsampling: "antialias",
    outside: "exclude",
  },
  "linear, aspect ratio kept": { ...spatial, sizes: [8, 8], mode: "linear", aspectRatio: "not_larger" },
  "linear, crop with extrapolation": {
    ...spatial,
    sizes: [5, 6],
    mode: "linear",
    coordinates: "tf_crop_and_resize",
    region: [0.1, -0.3, 0.8, 1.2],
    extrapolation: 7,
  },
  "linear, 3-D": { x: [1, 2, 3, 4, 3], axes: [2, 3, 4], sizes: [5, 3, 6], mode: "linear" },
  "cubic, twice": { ...spatial, scales: [2, 2], mode: "cubic" },
  "cubic, smaller, a = -0.5": { ...spatial, sizes: [3, 3], mode: "cubic", cubicCoefficient: -0.5 },
  "cubic, outside excluded": { ...spatial, sizes: [7, 9], mode: "cubic", outside: "exclude" },
  "cubic, corners": { ...spatial, sizes: [7, 9], mode: "cubic", coordinates: "align_corners" },
  "cubic, antialiased": { ...spatial, sizes: [2, 3], mode: "cubic", downsampling: "antialias" },
};

const samplings = (["bilinear", "nearest", "bicubic"] as const).flatMap((mode) =>
  (["zeros", "border", "reflection"] as const).flatMap((padding) =>
    (["half_pixel", "align_corners"] as const).map(
      (coordinates): Required<GridSampleOptions> => ({ mode, padding, coordinates }),
    ),
  ),
);

const transforms: Readonly<Record<string, DftOptions & { readonly x: readonly number[] }>> = {
  real: { x: [2, 8, 1] },
  complex: { x: [2, 8, 2] },
  "complex, length no power of two": { x: [2, 6, 2] },
  inverse: { x: [2, 6, 2], direction: "inverse" },
  "inverse, real": { x: [2, 8, 1], direction: "inverse" },
  "onesided, even": { x: [2, 8, 1], spectrum: "onesided" },
  "onesided, odd": { x: [2, 9, 1], spectrum: "onesided" },
  "second axis": { x: [1, 4, 6, 2], axis: 2 },
  "negative axis": { x: [1, 4, 6, 1], axis: -3 },
  cut: { x: [2, 8, 2], length: 5 },
  "padded with zeros": { x: [2, 5, 1], length: 8, spectrum: "onesided" },
};

/** A grid that looks at places between pixels, inside and outside an image of height 4 and width 5, clear of the kinks at whole numbers. */
function placesBetweenPixels(samples: number, coordinates: "half_pixel" | "align_corners"): number[] {
  return Array.from({ length: samples }, (_, i) =>
    [5, 4].map((size, axis) => {
      const pixel = ((i * (axis === 0 ? 7 : 5)) % (size + 5)) - 3 + 0.28 + 0.06 * ((i * 3) % 8);
      return (2 * pixel - (size - 1)) / (coordinates === "align_corners" ? size - 1 : size);
    }),
  ).flat();
}

export const resamplingCases: readonly OperatorCase[] = [
  ...Object.entries(resizes).map(
    ([name, { x, ...options }]): OperatorCase => ({
      name: `Resize: ${name}`,
      operator: "Resize",
      inputs: { x: { shape: x ?? [2, 2, 4, 5] } },
      build: (v) => resize(v.x!, options),
    }),
  ),
  ...samplings.map((options): OperatorCase => {
    const values = placesBetweenPixels(2 * 3 * 7, options.coordinates);
    const name = `GridSample: ${options.mode}, ${options.padding}, ${options.coordinates}`;
    const [x, grid] = [{ shape: [2, 3, 4, 5] }, { shape: [2, 3, 7, 2], values }];
    return options.mode === "nearest"
      ? {
          name,
          operator: "GridSample",
          inputs: { x },
          build: (v, graph) => gridSample(v.x!, graph.constant(tensor("float32", grid.shape, values)), options),
        }
      : { name, operator: "GridSample", inputs: { x, grid }, step: 5e-3, build: (v) => gridSample(v.x!, v.grid!, options) };
  }),
  ...Object.entries(transforms).map(
    ([name, { x, ...options }]): OperatorCase => ({
      name: `DFT: ${name}`,
      operator: "DFT",
      inputs: { x: { shape: x } },
      build: (v) => dft(v.x!, options),
    }),
  ),
];
