import { Graph } from "../../engine/graph/graph.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { gridLines } from "../../methods/sensor/grid-lines.js";
import type { Layout } from "../../methods/sensor/layouts/layout.js";
import type { Size } from "../../methods/sensor/samples.js";
import { constantTheta } from "../../methods/sensor/sensor.js";
import { samplesFromImage } from "../../vision/data/index.js";

/** Lines of a grid over a picture, each a row of places in [-1, 1]². */
export type Lines = readonly (readonly (readonly [x: number, y: number])[])[];

/** The lines between a sensor's pixels, for any parameters of its layout. */
export interface GridLines {
  at(theta: readonly number[]): Promise<Lines>;
  dispose(): void;
}

export async function gridLinesOf(engine: Engine, layout: Layout, size: Size): Promise<GridLines> {
  const graph = new Graph();
  const theta = layout.parameters.map((_, i) => graph.input(`theta.${i}`, "float32", []));
  const { down, across } = gridLines(graph, layout, theta, size);
  for (const [name, value] of Object.entries({ "down.x": down.x, "down.y": down.y, "across.x": across.x, "across.y": across.y }))
    graph.output(name, value);
  const program = await engine.compile(graph.build());
  return {
    at: async (values) => {
      const out = await program.run(Object.fromEntries(values.map((v, i) => [`theta.${i}`, tensor("float32", [], [v])])));
      return [...polylines(out["down.x"]!, out["down.y"]!), ...polylines(out["across.x"]!, out["across.y"]!)];
    },
    dispose: () => program.dispose(),
  };
}

/** Share of the sensor's columns that see the middle half of the width (along the middle row), and of its rows likewise. */
export interface MiddleShare {
  readonly columns: number;
  readonly rows: number;
}

export async function middleShare(engine: Engine, layout: Layout, theta: readonly number[]): Promise<MiddleShare> {
  const graph = new Graph();
  const constant = (values: readonly number[]) => graph.constant(tensor("float32", [4], values));
  const p = { x: constant([-0.5, 0.5, 0, 0]), y: constant([0, 0, -0.5, 0.5]) };
  const { x, y } = layout.inverse(p, constantTheta(graph, layout, theta));
  graph.output("x", x);
  graph.output("y", y);
  const [xs, ys] = await engine.evaluate(graph.build()).then((out) => [toNumbers(out.x!), toNumbers(out.y!)] as const);
  return { columns: (xs[1]! - xs[0]!) / 2, rows: (ys[3]! - ys[2]!) / 2 };
}

export const middleInWords = ({ columns, rows }: MiddleShare): string =>
  `The middle half of the width is seen by ${(100 * columns).toFixed(0)} % of the columns, that of the height by ${(100 * rows).toFixed(0)} % of the rows (50 % each on a uniform sensor).`;

function polylines(x: Tensor, y: Tensor): Lines {
  const [lines, points] = x.shape as [number, number];
  const [xs, ys] = [x.data as Float32Array, y.data as Float32Array];
  return Array.from({ length: lines }, (_, i) =>
    Array.from({ length: points }, (_, k) => [xs[i * points + k]!, ys[i * points + k]!] as const),
  );
}

/** How large a picture is drawn: its longer side has so many pixels. */
const drawnSide = 960;

export function drawnSize(image: Tensor): { height: number; width: number } {
  const [height, width] = image.shape.slice(-2) as [number, number];
  const scale = drawnSide / Math.max(height, width);
  return { height: Math.round(height * scale), width: Math.round(width * scale) };
}

/** The picture, enlarged without smoothing, as PNG. */
export async function enlarged(image: Tensor<"float32">): Promise<Buffer> {
  const { data, width, height, channels } = samplesFromImage(asRgb(image));
  const to = drawnSize(image);
  const { default: sharp } = await import("sharp");
  return sharp(data, { raw: { width, height, channels } }).resize(to.width, to.height, { kernel: "nearest" }).png().toBuffer();
}

/** The grid over a picture as one SVG file that needs no other. */
export async function gridOver(image: Tensor<"float32">, lines: Lines): Promise<string> {
  const size = drawnSize(image);
  const picture = `<image width="${size.width}" height="${size.height}" href="data:image/png;base64,${(await enlarged(image)).toString("base64")}"/>`;
  return gridSvg(lines, size, picture);
}

function gridSvg(lines: Lines, { width, height }: { width: number; height: number }, behind = "", caption = ""): string {
  const place = (v: number, side: number) => Number((((v + 1) / 2) * side).toFixed(2));
  const path = lines.map((line) => `M${line.map(([x, y]) => `${place(x, width)},${place(y, height)}`).join("L")}`).join("");
  // Light on dark and dark on light, so that it is seen on any picture.
  const strokes = [
    ["#000", 2.2, 0.45],
    ["#ffd23f", 1, 0.95],
  ].map(
    ([color, thickness, opacity]) =>
      `<path d="${path}" fill="none" stroke="${color}" stroke-width="${thickness}" stroke-opacity="${opacity}"/>`,
  );
  const text = caption
    ? `<rect width="${16 + 8.2 * caption.length}" height="26" fill="#000" fill-opacity="0.6"/><text x="8" y="18" font-family="monospace" font-size="14" fill="#fff">${caption}</text>`
    : "";
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${behind}${strokes.join("")}${text}</svg>\n`;
}

/** One moment of a training. */
export interface Moment {
  readonly caption: string;
  readonly lines: Lines;
}

/** The grid over a picture as it changes: an animated WebP that plays again and again. */
export async function animation(image: Tensor<"float32">, moments: readonly Moment[]): Promise<Buffer> {
  const size = drawnSize(image);
  const picture = await enlarged(image);
  const { default: sharp } = await import("sharp");
  const frames = await Promise.all(
    moments.map(({ lines, caption }) =>
      sharp(picture)
        .composite([{ input: Buffer.from(gridSvg(lines, size, "", caption)) }])
        .png()
        .toBuffer(),
    ),
  );
  const delay = frames.map((_, i) => (i === frames.length - 1 ? 2000 : 150));
  return sharp(frames, { join: { animated: true } })
    .webp({ quality: 70, delay, loop: 0 })
    .toBuffer();
}

/** A gray picture [1, H, W] as [3, H, W]. */
export function asRgb(image: Tensor<"float32">): Tensor<"float32"> {
  const [channels, height, width] = image.shape as [number, number, number];
  if (channels === 3) return image;
  const data = new Float32Array(3 * height * width);
  for (let c = 0; c < 3; c++) data.set(image.data.subarray(0, height * width), c * height * width);
  return tensor("float32", [3, height, width], data);
}
