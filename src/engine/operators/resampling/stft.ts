import type { Value } from "../../graph/graph.js";
import { defineOperator, flag } from "../../graph/operator.js";
import { mul } from "../elementwise/mul.js";
import { constantNumbers, intsConstant } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { reshape } from "../layout/reshape.js";
import { gradientThroughParts } from "../through-parts.js";
import { dft } from "./dft.js";

export const STFT = defineOperator({
  name: "STFT",
  inputs: ["signal", "frame_step", "window?", "frame_length?"],
  outputs: ["output"],
  attributes: { onesided: flag(1) },
  infer: (context) => {
    const [signal] = context.inputs;
    const { frames, length } = framesOf(context);
    const frequencies = context.attributes.onesided ? Math.floor(length / 2) + 1 : length;
    return [{ type: signal.type, shape: [signal.shape[0]!, frames, frequencies, 2] }];
  },
  // ONNX Runtime 1.30 reads memory that is not the signal's where the signal is complex
  decompose: (context) => (context.inputs[0].shape[2] === 2 ? [transformedFrames(context)] : undefined),
  gradient: (context, cotangents) => gradientThroughParts(context, cotangents, (parts) => [transformedFrames(parts)]),
});

interface StftContext {
  readonly inputs: readonly [signal: Value, step: Value, window: Value | undefined, length: Value | undefined];
  readonly attributes: { readonly onesided: number };
  readonly fail: (message: string) => never;
}

/** The Fourier transform of each frame, times the window. */
function transformedFrames(context: StftContext): Value {
  const [signal, , window] = context.inputs;
  const { frames, length, step } = framesOf(context);
  const places = Array.from({ length: frames * length }, (_, i) => Math.floor(i / length) * step + (i % length));
  const [n, , numbers] = signal.shape as [number, number, number];
  const cut = reshape(gather(signal, intsConstant(signal.graph, places), 1), [n, frames, length, numbers]);
  const shown = window ? mul(cut, reshape(window, [length, 1])) : cut;
  return dft(shown, { axis: 2, spectrum: context.attributes.onesided && numbers === 1 ? "onesided" : "full" });
}

function framesOf({ inputs: [signal, stepInput, window, lengthInput], fail }: Pick<StftContext, "inputs" | "fail">) {
  if (signal.shape.length !== 3) fail("its signal must be [N, samples, 1 or 2]");
  const samples = signal.shape[1]!;
  const length = (lengthInput && constantNumbers(lengthInput, "frame_length", fail)[0]) ?? window?.shape[0];
  if (length === undefined || length > samples) return fail("it needs a window or a frame_length that fits into the signal");
  if (window && window.shape[0] !== length) fail(`its window has ${window.shape[0]} numbers for frames of ${length}`);
  const step = constantNumbers(stepInput, "frame_step", fail)[0]!;
  return { frames: Math.floor((samples - length) / step) + 1, length, step };
}
