import { add, mul, sub } from "../../../engine/operators/index.js";
import { TrainingError } from "../error.js";
import type { Optimizer } from "./optimizer.js";

export interface SgdOptions {
  /** Default 0.9; 0 leaves the velocity out. */
  readonly momentum?: number;
  /** Added to the gradient as λ θ (L2 penalty), as `torch.optim.SGD` does; default 0. */
  readonly weightDecay?: number;
  /** Nesterov's look-ahead steps along g + μ v instead of v; default "classical". */
  readonly kind?: "classical" | "nesterov";
}

/**
 * Stochastic gradient descent with momentum, in the form of `torch.optim.SGD` (dampening 0):
 *
 *     g ← g + λ θ      v ← μ v + g      θ ← θ - η v     (Nesterov: θ - η (g + μ v))
 *
 * @throws TrainingError for Nesterov's without momentum.
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0.9, weightDecay = 0, kind = "classical" } = options;
  if (kind === "nesterov" && momentum === 0) throw new TrainingError("Nesterov's look-ahead needs a momentum above 0.");
  return {
    name: "sgd",
    state: momentum === 0 ? [] : ["velocity"],
    withWeightDecay: (other) => sgd({ ...options, weightDecay: other }),
    scalars: (_, learningRate) => ({ learning_rate: learningRate }),
    update: ({ parameters, gradient, state, scalars }) => {
      const rate = scalars.learning_rate!;
      const g = weightDecay === 0 ? gradient : add(gradient, mul(parameters, weightDecay));
      if (momentum === 0) return { parameters: sub(parameters, mul(g, rate)), state: {} };
      const velocity = add(mul(state.velocity!, momentum), g);
      const direction = kind === "nesterov" ? add(g, mul(velocity, momentum)) : velocity;
      return { parameters: sub(parameters, mul(direction, rate)), state: { velocity } };
    },
  };
}
