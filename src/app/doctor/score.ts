import { argmax } from "../../engine/tensor/arrays.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import type { ModelSpec, ValueRange } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";

/** One way to feed the model and to read the labels. */
export interface Reading {
  readonly range: RangeName;
  readonly channels: "rgb" | "bgr";
  readonly offset: number;
}

export type RangeName = "0..1" | "0..255" | "-1..1" | "imagenet" | "as given";

export const ranges: Readonly<Record<Exclude<RangeName, "as given">, ValueRange>> = {
  "0..1": "0..1",
  "0..255": "0..255",
  "-1..1": "-1..1",
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
};

/** How good a prediction is, 0 to 1: share of right pixels, what the task says itself, or for continuous tasks 1 / (1 + error over the typical size of the target). */
export function quality(predictions: readonly Tensor[], samples: readonly Labeled[], spec: ModelSpec, offset: number): number {
  const task = tasks[spec.task];
  if (task.quality) {
    const measure = task.measure({ classes: predictions[0]!.shape[0]!, ignore: spec.ignore, output: spec.output });
    return task.quality.of(
      predictions.flatMap((p, s) => (samples[s]!.target ? [measure.sample(p, samples[s]!.target, undefined)] : [])),
    );
  }
  const classes = task.kind === "classes";
  let [sum, count, size] = [0, 0, 0];
  predictions.forEach((p, s) => {
    const { target, valid } = samples[s]!;
    if (!target) return;
    if (classes) {
      const [predicted, labels, ignored] = [argmax(p), target.data as BigInt64Array, new Set(spec.ignore)];
      labels.forEach((label, i) => {
        if (ignored.has(Number(label)) || (valid && valid.data[i] === 0)) return;
        count++;
        if (predicted[i] === Number(label) + offset) sum++;
      });
      return;
    }
    const [a, y] = [p.data as Float32Array, target.data as Float32Array];
    const plane = valid?.data.length ?? a.length;
    y.forEach((v, i) => {
      if (valid && valid.data[i % plane] === 0) return;
      count++;
      sum += Math.abs(a[i]! - v);
      size += Math.abs(v);
    });
  });
  if (count === 0) return 0;
  if (classes) return sum / count;
  return 1 / (1 + sum / Math.max(size, 1e-12));
}

/** Sample by sample whether the model is right, where a sample has one label; empty where labels are per pixel, or there are none. */
export function rightOrWrong(
  predictions: readonly Tensor[],
  samples: readonly Labeled[],
  spec: ModelSpec,
  offset: number,
): boolean[] {
  const whole = predictions.every((p) => p.shape.length === 1) && samples.some((s) => s.target);
  return whole ? predictions.map((p, i) => quality([p], [samples[i]!], spec, offset) === 1) : [];
}

export interface Labeled {
  readonly target: Tensor | undefined;
  readonly valid: Tensor | undefined;
}

/** Mean largest class probability of canonical logits. */
export function confidence(predictions: readonly Tensor[]): number {
  let [sum, count] = [0, 0];
  for (const z of predictions) {
    const [classes, data] = [z.shape[0]!, z.data as Float32Array];
    const pixels = data.length / classes;
    for (let i = 0; i < pixels; i++) {
      let [largest, total] = [Number.NEGATIVE_INFINITY, 0];
      for (let k = 0; k < classes; k++) largest = Math.max(largest, data[k * pixels + i]!);
      for (let k = 0; k < classes; k++) total += Math.exp(data[k * pixels + i]! - largest);
      sum += 1 / total;
      count++;
    }
  }
  return sum / count;
}

/** Mean over the samples of the correlation (about the means) of prediction and truth; NaN counts as none. */
export function agreement(predictions: readonly Tensor[], samples: readonly Labeled[]): number {
  const each = predictions.flatMap((p, s) => {
    const { target, valid } = samples[s]!;
    if (!target) return [];
    const plane = valid?.data.length ?? target.data.length;
    const known = [...target.data.keys()].filter((i) => valid?.data[i % plane] !== 0);
    const mean = (data: Tensor["data"]) => known.reduce((sum, i) => sum + Number(data[i]), 0) / known.length;
    const [mp, my] = [mean(p.data), mean(target.data)];
    let [py, pp, yy] = [0, 0, 0];
    for (const i of known) {
      const [a, b] = [Number(p.data[i]) - mp, Number(target.data[i]) - my];
      py += a * b;
      pp += a * a;
      yy += b * b;
    }
    const found = py / Math.sqrt(Math.max(pp * yy, 1e-30));
    return [Number.isFinite(found) ? found : 0];
  });
  return each.reduce((a, b) => a + b, 0) / Math.max(1, each.length);
}

/** Least-squares factor that takes predictions to targets, and their correlation (about zero). */
export function scaleOf(predictions: readonly Tensor[], samples: readonly Labeled[]): { factor: number; correlation: number } {
  let [py, pp, yy] = [0, 0, 0];
  predictions.forEach((p, s) => {
    const { target, valid } = samples[s]!;
    if (!target) return;
    const [a, y] = [p.data as Float32Array, target.data as Float32Array];
    const plane = valid?.data.length ?? a.length;
    y.forEach((v, i) => {
      if (valid && valid.data[i % plane] === 0) return;
      py += a[i]! * v;
      pp += a[i]! * a[i]!;
      yy += v * v;
    });
  });
  return { factor: py / Math.max(pp, 1e-30), correlation: py / Math.sqrt(Math.max(pp * yy, 1e-30)) };
}
