import type { Value } from "../../../engine/graph/graph.js";
import { add, matMul, transpose } from "../../../engine/operators/index.js";
import { defaultBias, defaultWeight, type Initializer } from "../initializers.js";
import type { Scope } from "../scope.js";
import type { Bias } from "./convolution.js";

export interface LinearOptions {
  /** Output features. */
  readonly out: number;
  readonly bias?: Bias;
  /** Of the weight and the bias; default PyTorch's. */
  readonly initialize?: Initializer;
  readonly initializeBias?: Initializer;
}

/** `torch.nn.Linear` on the last axis: parameters `weight` [out, in] and `bias` [out]. */
export function linear(p: Scope, x: Value, options: LinearOptions): Value {
  const { out, bias = "learned", initialize = defaultWeight } = options;
  const shape = [out, x.shape.at(-1)!];
  const y = matMul(x, transpose(p.parameter("weight", shape, initialize), [1, 0]));
  return bias === "learned" ? add(y, p.parameter("bias", [out], options.initializeBias ?? defaultBias(shape))) : y;
}
