import { defineOperator, int, notDifferentiable } from "../../graph/operator.js";
import { constantNumbers } from "../emit.js";

export const STFT = defineOperator({
  name: "STFT",
  inputs: ["signal", "frame_step", "window?", "frame_length?"],
  outputs: ["output"],
  attributes: { onesided: int(1) },
  infer: ({ inputs: [signal, step, window, length], attributes, fail }) => {
    const [n, samples] = signal.shape;
    if (signal.shape.length !== 3) fail("its signal must be [N, samples, 1 or 2]");
    const frame = (length && constantNumbers(length, "frame_length", fail)[0]) ?? window?.shape[0];
    if (frame === undefined || frame > samples!) return fail("it needs a window or a frame_length that fits into the signal");
    const frames = Math.floor((samples! - frame) / constantNumbers(step, "frame_step", fail)[0]!) + 1;
    return [{ type: signal.type, shape: [n!, frames, attributes.onesided ? Math.floor(frame / 2) + 1 : frame, 2] }];
  },
  gradient: notDifferentiable("it is an operator for audio; write it as Gather of frames, Mul by the window and DFT"),
});
