import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Graph } from "../../engine/graph/graph.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { exactReading } from "../../methods/sensor/exact.js";
import { toImageGrid } from "../../methods/sensor/image-grid.js";
import { interiorReading } from "../../methods/sensor/interior.js";
import { type LayoutName, layoutOf } from "../../methods/sensor/layouts/index.js";
import { jitteredOffsets, type Size } from "../../methods/sensor/samples.js";
import { constantTheta } from "../../methods/sensor/sensor.js";
import { type Conversion, conversionsOf } from "../../vision/data/conversions.js";
import { readImage, writeImage } from "../../vision/data/node/index.js";
import { planesOf } from "../../vision/metrics/planes.js";
import { meanSquaredError, psnrOf } from "../../vision/metrics/psnr.js";
import { demandFolder, makeFolder } from "../runs/folders.js";
import { gridLinesOf, gridOver, type MiddleShare, middleShare } from "./draw.js";

export interface SimulateOptions {
  readonly layouts: readonly [LayoutName, ...LayoutName[]];
  readonly theta: readonly number[];
  readonly size: Size;
  /** Jittered samples per pixel, or the integral in closed form. */
  readonly integration: { readonly kind: "exact" } | { readonly kind: "samples"; readonly count: number; readonly seed: number };
}

export interface Simulated {
  readonly files: readonly string[];
  /** Of the reconstruction, in dB. */
  readonly psnr: number;
  readonly middle: MiddleShare;
  /** What was done to the picture as it was read. */
  readonly converted: readonly Conversion[];
}

/**
 * What a sensor sees of a picture: `reading.png` (one dot for each of its pixels), `reconstruction.png` (that, brought back to the image's grid)
 * and `grid.svg` (its pixels over the picture).
 *
 * @throws SensorError, DataError; RunError where the folder cannot be written to
 */
export async function simulateSensor(
  engine: Engine,
  picture: string,
  folder: string,
  options: SimulateOptions,
): Promise<Simulated> {
  demandFolder(folder);
  const image = await readImage(picture);
  const layout = layoutOf(options.layouts);
  const [channels, height, width] = image.shape as [number, number, number];
  const graph = new Graph();
  const x = graph.input("image", "float32", [1, channels, height, width]);
  const theta = constantTheta(graph, layout, options.theta);
  const { size, integration } = options;
  const read = () => {
    if (integration.kind === "exact") return exactReading(x, layout, theta, size);
    const offsets = jitteredOffsets(size, integration.count, integration.seed);
    return interiorReading(x, layout, theta, size, { x: graph.constant(offsets.x), y: graph.constant(offsets.y) });
  };
  const reading = read();
  graph.output("reading", reading);
  graph.output("reconstruction", toImageGrid(reading, layout, theta, [height, width]));
  const program = await engine.compile(graph.build());
  const out = await program.run({ image: tensor("float32", x.shape, image.data) });
  program.dispose();
  const single = (t: Tensor) => tensor("float32", t.shape.slice(1), t.data as Float32Array);
  const [seen, back] = [single(out.reading!), single(out.reconstruction!)];
  const lines = await gridLinesOf(engine, layout, size);
  const grid = await gridOver(image, await lines.at(options.theta));
  lines.dispose();

  makeFolder(folder);
  const at = (name: string) => join(folder, name);
  await writeImage(at("reading.png"), seen);
  await writeImage(at("reconstruction.png"), back);
  writeFileSync(at("grid.svg"), grid);
  const files = ["reading.png", "reconstruction.png", "grid.svg"].map(at);
  return {
    files,
    psnr: psnrOf(meanSquaredError(planesOf(back), planesOf(image))),
    middle: await middleShare(engine, layout, options.theta),
    converted: conversionsOf(image),
  };
}
