import type { Value } from "../../../engine/graph/graph.js";
import { add, batchNormalization, div, mul, reduceMean, reshape, sqrt, sub } from "../../../engine/operators/index.js";
import { ones, zeros } from "../initializers.js";
import type { Scope } from "../scope.js";

export interface BatchNormOptions {
  readonly epsilon?: number;
  /** Share of the batch's statistics in the new running ones; default 0.1 (PyTorch's meaning: ONNX counts from the other end). */
  readonly momentum?: number;
}

/**
 * `torch.nn.BatchNorm2d` on [N, C, H, W] (Ioffe & Szegedy 2015): parameters `weight` and `bias`, buffers `running_mean` and `running_var`,
 * all [C]. In evaluation it uses the running statistics; in training those of the batch (biased variance), and the running ones are updated,
 * r ← (1 - momentum) r + momentum s, where s is the batch's mean or its unbiased variance.
 */
export function batchNorm2d(p: Scope, x: Value, { epsilon = 1e-5, momentum = 0.1 }: BatchNormOptions = {}): Value {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const weight = p.parameter("weight", [c], ones);
  const bias = p.parameter("bias", [c], zeros);
  const runningMean = p.buffer("running_mean", [c], zeros);
  const runningVariance = p.buffer("running_var", [c], ones);
  if (p.mode === "evaluation") return batchNormalization(x, weight, bias, runningMean, runningVariance, epsilon);

  const mean = reduceMean(x, [0, 2, 3], "keep");
  const centered = sub(x, mean);
  const variance = reduceMean(mul(centered, centered), [0, 2, 3], "keep");
  const count = n * height * width;
  const blend = (running: Value, batch: Value) => add(mul(running, 1 - momentum), mul(reshape(batch, [c]), momentum));
  p.update("running_mean", blend(runningMean, mean));
  p.update("running_var", blend(runningVariance, mul(variance, count / Math.max(count - 1, 1))));
  const normalized = div(centered, sqrt(add(variance, epsilon)));
  return add(mul(normalized, reshape(weight, [1, c, 1, 1])), reshape(bias, [1, c, 1, 1]));
}
