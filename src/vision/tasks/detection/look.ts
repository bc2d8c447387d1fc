import type { Tensor } from "../../../engine/tensor/tensor.js";
import type { BoxForm, ModelSpec } from "../../spec/model-spec.js";
import type { Look } from "../task.js";
import { formOf } from "./box-form.js";
import { boxMeanings } from "./box-meanings.js";
import { type Head, pairOf } from "./heads/head.js";
import { headOf, heads, pairAmong, recognized } from "./heads/index.js";
import { rtDetr } from "./heads/pairs.js";
import { yolov5 } from "./heads/yolov5.js";

/** One output of a model for some images: its name, and its values image by image, [1, ...]. */
export interface Seen {
  readonly name: string;
  readonly values: readonly Tensor[];
}

/**
 * What a detector's raw outputs tell of its head: number and shapes, whether scores sum to one or which class nearly all places show (no object, the
 * background), whether four numbers are corners and whether they are shares of the picture.
 */
export function lookAtHead(all: readonly Seen[], { output }: ModelSpec): readonly Look[] {
  const looked = all.map(({ name, values }) => ({ name, shape: values[0]!.shape, activation: "none" as const }));
  const among = output.name === undefined ? pairAmong(looked) : undefined;
  const outputs = among ? all.filter((_, i) => among.includes(looked[i]!)) : all;
  const shapes = outputs.map(({ name, values }) => ({ name, shape: values[0]!.shape }));
  const listed = shapes.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(" and ");
  const fitting = heads.filter((head) => head.fits(shapes));
  if (fitting.length === 0)
    return [
      {
        subject: "head",
        verdict: "wrong",
        sentence: `${listed}: of no known head of a detector (${heads.map((h) => h.about).join("; ")}); name the right outputs with --of.`,
      },
    ];
  const pair = pairOf(shapes);
  const seen = pair
    ? ofPair(outputs[1 - pair.boxes]!.values.map(pair.scores === "places first" ? (t) => t : turned), outputs[pair.boxes]!.values)
    : ofOne(outputs[0]!, recognized(looked) ?? fitting[0]!);
  const own = headOf(output.head);
  const chosen = headOf(seen.name)!;
  const about = `${listed}: ${seen.why}`;
  const headFound: Look =
    own && own.name !== chosen.name
      ? {
          subject: "head",
          verdict: "wrong",
          sentence: `The outputs look like ${chosen.name} (${about}), not ${own.name}.`,
          flags: ["--output-head", chosen.name],
        }
      : { subject: "head", verdict: "good", sentence: `${chosen.name}: ${about}.` };
  if (!seen.form) return [headFound];
  const said: BoxForm = output.boxes ?? chosen.boxes;
  const boxesFound: Look =
    seen.form.name === said
      ? { subject: "boxes", verdict: "good", sentence: `${said}: ${seen.form.why}.` }
      : {
          subject: "boxes",
          verdict: "wrong",
          sentence: `Boxes look like ${seen.form.name} (${seen.form.why}), not ${said}.`,
          flags: ["--output-boxes", seen.form.name],
        };
  return [headFound, boxesFound];
}

/** [1, C, N] as [1, N, C]. */
function turned(t: Tensor): Tensor {
  const [, classes, places] = t.shape as [number, number, number];
  const z = t.data as Float32Array;
  const data = z.map((_, i) => z[(i % classes) * places + Math.floor(i / classes)]!);
  return { type: "float32", shape: [1, places, classes], data };
}

/** A head of one output: by its axes, and where its rows are places by what the first four columns hold. */
function ofOne({ values }: Seen, head: Head) {
  const why = "by its axes";
  if (!head.columns) return { name: head.name, why, form: undefined };
  const form = formOf(values.map(firstFour));
  // Queries and the cells of a small picture's grid are as many; boxes of a grid are in pixels.
  const grid = head === rtDetr && boxMeanings[form.name].unit !== "shares";
  return grid ? { name: yolov5.name, why: `${why}, with boxes in pixels`, form: undefined } : { name: head.name, why, form };
}

/** The first four columns of [1, N, C]. */
function firstFour(t: Tensor): Tensor {
  const [, places, columns] = t.shape as [number, number, number];
  const z = t.data as Float32Array;
  const data = Float32Array.from({ length: 4 * places }, (_, i) => z[Math.floor(i / 4) * columns + (i % 4)]!);
  return { type: "float32", shape: [1, places, 4], data };
}

/** A head of two outputs by its numbers. */
function ofPair(scores: readonly Tensor[], boxes: readonly Tensor[]) {
  const classes = scores[0]!.shape.at(-1)!;
  let [places, first, last, sums, inside] = [0, 0, 0, 0, 0];
  for (const { data } of scores) {
    const z = data as Float32Array;
    for (let i = 0; i < z.length; i += classes) {
      const row = z.subarray(i, i + classes);
      const top = row.indexOf(Math.max(...row));
      places++;
      if (top === 0) first++;
      if (top === classes - 1) last++;
      if (row.every((v) => v >= 0 && v <= 1)) inside++;
      if (Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-3) sums++;
    }
  }
  const form = formOf(boxes);
  const normalized = boxMeanings[form.name].unit === "shares";
  const share = (n: number) => `${Math.round((100 * n) / places)} %`;
  const softmax = sums === places && inside === places;
  if (classes > 1 && (last > 0.6 * places || (softmax && last >= first)))
    return {
      name: normalized ? "detr" : "ssd",
      why: `the last of ${classes} classes comes first at ${share(last)} of the places`,
      form,
    };
  if (classes > 1 && (first > 0.6 * places || softmax))
    return { name: "ssd", why: `the first of ${classes} classes comes first at ${share(first)} of the places`, form };
  const why = `no class stands for nothing (the first leads at ${share(first)} of the places, the last at ${share(last)})`;
  return { name: normalized ? "rt-detr" : "retinanet", why, form };
}
