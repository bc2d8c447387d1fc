/**
 * How far do the two estimators of a layout's gradient scatter about the truth, for so many samples per pixel? On a street scene, rectangular
 * layout, a square sensor and one of 2:1; the truth is the gradient of the exact integral. Writes variance.json and variance.svg.
 *
 * Run from the repository's root: npx tsx experiments/sensor-layout/variance.ts
 */
import { writeFileSync } from "node:fs";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { gradients, vectorJacobianProduct } from "../../src/engine/autodiff/gradients.js";
import { Graph, type Value } from "../../src/engine/graph/graph.js";
import { createEngine } from "../../src/engine/runtime/node.js";
import { tensor, toNumbers } from "../../src/engine/tensor/tensor.js";
import {
  boundaryReading,
  constantTheta,
  exactReading,
  interiorReading,
  jitteredAlong,
  jitteredOffsets,
  layouts,
  type Size,
} from "../../src/methods/sensor/index.js";
import { streetDataset } from "../../src/vision/data/synthetic/street.js";

const folder = "experiments/sensor-layout";
const draws = 64;
const counts = [4, 8, 16, 32, 64, 128];
const theta = [0.3, -0.2];
const { rectangular } = layouts;
const { inputs } = await streetDataset({ height: 64, width: 128, length: 1, seed: "variance" }).sample(0);
const image = tensor("float32", [1, 3, 64, 128], inputs.image!.data);
const engine = await createEngine({ threads: 1 });

interface Row {
  readonly sensor: string;
  readonly estimator: string;
  readonly samples: number;
  /** Mean square of the deviation from the truth over pixels, parameters and draws, in units of the mean square of the truth. */
  readonly error: number;
  /** The part of it that does not average out: the square of the mean deviation, less what chance leaves of it. */
  readonly bias: number;
}
const rows: Row[] = [];
for (const size of [[8, 8] as const, [8, 16] as const]) {
  const truth = await derivatives(size, (x, t) => exactReading(x, rectangular, t, size), {});
  const power = truth.reduce((sum, v) => sum + v * v, 0) / truth.length;
  for (const samples of counts)
    for (const estimator of ["interior", "boundary"]) {
      const means = new Float64Array(truth.length);
      let squares = 0;
      const program = await compiled(size, (x, t, graph) => readingOf(estimator, graph, x, t, size, samples));
      for (let draw = 0; draw < draws; draw++) {
        const found = await program.run(offsetsOf(size, samples, draw, estimator));
        found.forEach((v, i) => {
          means[i]! += (v - truth[i]!) / draws;
          squares += (v - truth[i]!) ** 2 / draws / truth.length;
        });
      }
      program.dispose();
      const ofMeans = means.reduce((sum, v) => sum + v * v, 0) / truth.length;
      const bias = Math.max(0, (ofMeans - squares / draws) / (1 - 1 / draws));
      rows.push({ sensor: size.join("x"), estimator, samples, error: squares / power, bias: bias / power });
    }
}
await engine.dispose();
writeFileSync(`${folder}/variance.json`, `${JSON.stringify({ draws, theta, rows }, undefined, 1)}\n`);
writeFileSync(`${folder}/variance.svg`, figure(rows));
console.log(`| sensor | samples | interior | boundary |\n|---|---|---|---|`);
for (const sensor of new Set(rows.map((r) => r.sensor)))
  for (const samples of counts) {
    const of = (e: string) => rows.find((r) => r.sensor === sensor && r.samples === samples && r.estimator === e)!;
    const cell = (e: string) => `${of(e).error.toFixed(4)} (bias² ${of(e).bias.toFixed(4)})`;
    console.log(`| ${sensor} | ${samples} | ${cell("interior")} | ${cell("boundary")} |`);
  }

function readingOf(estimator: string, graph: Graph, x: Value, t: readonly Value[], size: Size, samples: number): Value {
  const [height, width] = size;
  const input = (name: string, lines: number, count: number) => graph.input(name, "float32", [lines, count]);
  const offsets = { x: input("x", height * width, samples), y: input("y", height * width, samples) };
  if (estimator === "interior") return interiorReading(x, rectangular, t, size, offsets);
  const perEdge = Math.max(1, Math.round(samples / 4));
  return boundaryReading(x, rectangular, t, size, offsets, {
    horizontal: input("horizontal", (height + 1) * width, perEdge),
    vertical: input("vertical", height * (width + 1), perEdge),
  });
}

function offsetsOf(size: Size, samples: number, draw: number, estimator: string) {
  const [height, width] = size;
  const perEdge = Math.max(1, Math.round(samples / 4));
  return {
    ...jitteredOffsets(size, samples, draw),
    ...(estimator === "boundary" && {
      horizontal: jitteredAlong((height + 1) * width, perEdge, `${draw}/horizontal`),
      vertical: jitteredAlong(height * (width + 1), perEdge, `${draw}/vertical`),
    }),
  };
}

/** A program for the derivative of every pixel's reading by every parameter. */
async function compiled(size: Size, read: (x: Value, t: readonly Value[], graph: Graph) => Value) {
  const graph = new Graph();
  const t = constantTheta(graph, rectangular, theta);
  const reading = read(graph.constant(image), t, graph);
  const c = graph.input("c", "float32", [1, 3, ...size]);
  // The gradient of ⟨c, I⟩ is linear in c: its derivative by c is that of I, pixel by pixel.
  vectorJacobianProduct([{ of: reading, cotangent: c }], t).forEach((g, q) => graph.output(`d.${q}`, gradients(g, [c])[0]!));
  const program = await engine.compile(graph);
  return {
    run: async (offsets: Record<string, ReturnType<typeof jitteredAlong>>) => {
      const out = await program.run({ c: tensor("float32", c.shape), ...offsets });
      return t.flatMap((_, q) => toNumbers(out[`d.${q}`]!));
    },
    dispose: () => program.dispose(),
  };
}

async function derivatives(size: Size, read: (x: Value, t: readonly Value[]) => Value, offsets: Record<string, never>) {
  const program = await compiled(size, read);
  const found = await program.run(offsets);
  program.dispose();
  return found;
}

function figure(all: readonly Row[]): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const plot = Plot.plot({
    document: document as unknown as Document,
    width: 760,
    height: 320,
    marginLeft: 64,
    marginRight: 84,
    style: { fontFamily: "system-ui, sans-serif", background: "white" },
    fx: { label: null, tickFormat: (s: string) => `${s} pixels` },
    x: { type: "log", base: 2, label: "samples per pixel", ticks: counts, tickFormat: "d" },
    y: { type: "log", grid: true, label: "squared error of the gradient, relative", tickFormat: "~g" },
    color: { domain: ["interior", "boundary"], range: ["#2463a8", "#c8401f"] },
    marks: [
      Plot.line(all, { fx: "sensor", x: "samples", y: "error", stroke: "estimator", strokeWidth: 2 }),
      Plot.dot(all, { fx: "sensor", x: "samples", y: "error", fill: "estimator", r: 3 }),
      Plot.text(
        all.filter((r) => r.samples === counts.at(-1)),
        {
          fx: "sensor",
          x: "samples",
          y: "error",
          text: "estimator",
          fill: "estimator",
          textAnchor: "start",
          dx: 7,
          fontWeight: 600,
        },
      ),
    ],
  });
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${plot.outerHTML}\n`;
}
