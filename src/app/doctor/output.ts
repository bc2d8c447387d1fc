import { sizeOf, type Tensor } from "../../engine/tensor/tensor.js";
import type { ModelSpec, ValueRange } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { type Finding, good, unsure, wrong } from "./finding.js";

/** What the raw outputs show, and the specification as they would have it. */
export interface OutputReading {
  readonly findings: readonly Finding[];
  readonly spec: ModelSpec;
}

/** An output that is read: its name, and its values image by image, [1, ...]. */
export interface RawOutput {
  readonly name: string;
  readonly values: readonly Tensor[];
}

/**
 * Looks at the model's raw outputs for a few images: numbers at all, different for different images, and of the first its axes, and what class outputs are.
 *
 * @param outputs those that are read; at least one.
 * @param size of the images.
 */
export function readOutput(
  outputs: readonly RawOutput[],
  spec: ModelSpec,
  size: { readonly height: number; readonly width: number },
): OutputReading {
  const raws = outputs[0]!.values;
  const findings = [finite(outputs), varied(outputs)];
  const axes = layoutOf(raws[0]!, spec, size);
  if (axes) findings.push(axes.finding);
  const layout = axes?.layout ?? spec.output.layout;
  let output = { ...spec.output, layout };
  const { kind } = tasks[spec.task];
  if (kind === "classes") {
    const seen = meaningOf(raws, spec, layout);
    findings.push(seen.finding);
    output = { ...output, meaning: seen.meaning };
  }
  if (kind === "picture") {
    const seen = restoredRange(raws, spec);
    findings.push(seen.finding);
    output = { ...output, range: seen.range };
  }
  return { findings, spec: { ...spec, output } };
}

/** "the output", or which of several. */
const called = ({ name }: RawOutput, { length }: readonly RawOutput[]) => (length > 1 ? `the output "${name}"` : "the output");

function finite(outputs: readonly RawOutput[]): Finding {
  for (const output of outputs) {
    const broken = output.values.filter((t) => (t.data as Float32Array).some((v) => !Number.isFinite(v))).length;
    if (broken > 0)
      return wrong(
        "numbers",
        `For ${broken} of ${output.values.length} images ${called(output, outputs)} holds NaN or infinity; look at --range, or at the export.`,
      );
  }
  return good("numbers", "All outputs are finite.");
}

function varied(outputs: readonly RawOutput[]): Finding {
  if (outputs[0]!.values.length === 1) return unsure("variety", "One image alone cannot show whether the output depends on it.");
  const same = outputs.filter(({ values }) => isSame(values));
  // Of boxes and scores both must answer the picture; among more there may be constants that nobody reads.
  const [constant] = same.length === outputs.length || outputs.length === 2 ? same : [];
  if (constant === undefined) return good("variety", "The output differs from image to image.");
  const which = called(constant, outputs);
  return wrong(
    "variety",
    `${which[0]!.toUpperCase()}${which.slice(1)} is the same for all images: it is saturated or does not depend on them; look at --range.`,
  );
}

function isSame([first, ...others]: readonly Tensor[]): boolean {
  const values = first!.data as Float32Array;
  const scale = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  return !others.some((t) => (t.data as Float32Array).some((v, i) => Math.abs(v - values[i]!) > 1e-5 * scale));
}

/** Which axis holds the channels: the other two are in proportion to the image. */
function layoutOf(raw: Tensor, { task, output }: ModelSpec, { height, width }: { height: number; width: number }) {
  const { extent, channels } = tasks[task];
  if (extent === "image" || raw.shape.length !== 4) return undefined;
  const [, a, b, c] = raw.shape as [number, number, number, number];
  const proportional = (h: number, w: number) => Math.abs(h * width - w * height) < Math.max(h, w);
  const possible = {
    nchw: proportional(b, c) && (channels === undefined || a === channels),
    nhwc: proportional(a, b) && (channels === undefined || c === channels),
  };
  const shape = `[${raw.shape.join(", ")}] for images of ${height}x${width}`;
  const other = output.layout === "nchw" ? ("nhwc" as const) : ("nchw" as const);
  if (possible[output.layout]) return { layout: output.layout, finding: good("output layout", `${output.layout}: ${shape}.`) };
  if (possible[other])
    return {
      layout: other,
      finding: wrong("output layout", `The output is ${shape}: its axes are in ${other} order.`, "--output-layout", other),
    };
  return {
    layout: output.layout,
    finding: wrong("output layout", `The output is ${shape}, which is no ${task} map in either order; name another with --of.`),
  };
}

function meaningOf(raws: readonly Tensor[], { output, task }: ModelSpec, layout: "nchw" | "nhwc") {
  const [first] = raws;
  const rank = first!.shape.length;
  // [B, H, W] has no channel axis: one channel.
  const missing = tasks[task].extent === "pixels" && rank === 3;
  const axis = layout === "nhwc" ? rank - 1 : 1;
  const channels = missing ? 1 : first!.shape[axis]!;
  const inside = raws.every((t) => (t.data as Float32Array).every((v) => v >= -1e-6 && v <= 1 + 1e-6));
  const sums = channels > 1 && raws.every((t) => sumsToOne(t, axis));
  const meaning =
    channels === 1
      ? inside
        ? ("binary-probabilities" as const)
        : ("binary-logits" as const)
      : inside && sums
        ? ("probabilities" as const)
        : ("logits" as const);
  const seen = `${channels} channel${channels > 1 ? "s" : ""}, ${inside ? "all values in [0, 1]" : "values outside [0, 1]"}${channels > 1 ? (sums ? ", summing to one" : ", not summing to one") : ""}`;
  if (meaning === output.meaning) return { meaning, finding: good("meaning", `${meaning}: ${seen}.`) };
  return {
    meaning,
    finding: wrong("meaning", `The output looks like ${meaning} (${seen}), not ${output.meaning}.`, "--meaning", meaning),
  };
}

function sumsToOne(t: Tensor, axis: number): boolean {
  const inner = sizeOf(t.shape.slice(axis + 1));
  const channels = t.shape[axis]!;
  const data = t.data as Float32Array;
  for (let o = 0; o < sizeOf(t.shape.slice(0, axis)); o++) {
    for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let k = 0; k < channels; k++) sum += data[(o * channels + k) * inner + i]!;
      if (Math.abs(sum - 1) > 1e-3) return false;
    }
  }
  return true;
}

/** The range of a restored image, from its extreme values. */
function restoredRange(raws: readonly Tensor[], { output }: ModelSpec): { range: ValueRange; finding: Finding } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const t of raws)
    for (const v of t.data as Float32Array) {
      least = Math.min(least, v);
      most = Math.max(most, v);
    }
  const seen = `restored values from ${least.toFixed(2)} to ${most.toFixed(2)}`;
  const range =
    most > 8 && least > -most / 4
      ? "0..255"
      : least < -0.4 && most <= 1.6
        ? "-1..1"
        : least > -0.4 && most <= 1.6
          ? "0..1"
          : undefined;
  if (typeof output.range !== "string" || range === undefined)
    return { range: output.range, finding: unsure("output range", `${seen}, which fit none of 0..1, -1..1 and 0..255.`) };
  if (range === output.range) return { range, finding: good("output range", `${range}: ${seen}.`) };
  return { range, finding: wrong("output range", `There are ${seen}: ${range}, not ${output.range}.`, "--output-range", range) };
}
