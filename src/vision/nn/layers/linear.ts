import type { Value } from "../../../engine/graph/graph.js";
import { add, matMul, transpose } from "../../../engine/operators/index.js";
import { defaultBias, defaultWeight, type Initialiser } from "../initialisers.js";
import type { Scope } from "../scope.js";
import type { Bias } from "./convolution.js";

export interface LinearOptions {
  /** Output features. */
  readonly out: number;
  readonly bias?: Bias;
  /** Of the weight and the bias; default PyTorch's. */
  readonly initialise?: Initialiser;
  readonly initialiseBias?: Initialiser;
}

/** `torch.nn.Linear` on the last axis: parameters `weight` [out, in] and `bias` [out]. */
export function linear(p: Scope, x: Value, options: LinearOptions): Value {
  const { out, bias = "learned", initialise = defaultWeight } = options;
  const shape = [out, x.shape.at(-1)!];
  const y = matMul(x, transpose(p.parameter("weight", shape, initialise), [1, 0]));
  return bias === "learned" ? add(y, p.parameter("bias", [out], options.initialiseBias ?? defaultBias(shape))) : y;
}
