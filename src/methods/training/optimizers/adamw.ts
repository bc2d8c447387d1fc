import { add, div, mul, sqrt, sub } from "../../../engine/operators/index.js";
import type { Optimizer } from "./optimizer.js";

export interface AdamwOptions {
  /** Default [0.9, 0.999]; NAFNet and Baseline were trained with [0.9, 0.9]. */
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  /** Decoupled: θ shrinks by η λ each step; default 0.01. 0 is plain Adam. */
  readonly weightDecay?: number;
}

/**
 * AdamW (Loshchilov & Hutter 2019, algorithm 2), in the form and with the defaults of `torch.optim.AdamW`:
 *
 *     θ ← (1 - η λ) θ
 *     m ← β₁ m + (1 - β₁) g        v ← β₂ v + (1 - β₂) g²
 *     θ ← θ - η / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε) = θ - η c / (1 - β₁ᵗ) · m / (√v + ε c)     with c = √(1 - β₂ᵗ)
 *
 * In the last form all that changes with t is in two numbers, which spares a pass over all parameters.
 */
export function adamw(options: AdamwOptions = {}): Optimizer {
  const { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01 } = options;
  const [beta1, beta2] = betas;
  return {
    name: "adamw",
    state: ["mean", "square"],
    withWeightDecay: (other) => adamw({ ...options, weightDecay: other }),
    scalars: (step, learningRate) => {
      const correction = Math.sqrt(1 - beta2 ** step);
      return {
        shrink: 1 - learningRate * weightDecay,
        step_size: (learningRate * correction) / (1 - beta1 ** step),
        epsilon: epsilon * correction,
      };
    },
    update: ({ parameters, gradient, state, scalars }) => {
      const mean = add(mul(state.mean!, beta1), mul(gradient, 1 - beta1));
      const square = add(mul(state.square!, beta2), mul(mul(gradient, gradient), 1 - beta2));
      const denominator = add(sqrt(square), scalars.epsilon!);
      const shrunk = weightDecay === 0 ? parameters : mul(parameters, scalars.shrink!);
      return { parameters: sub(shrunk, mul(div(mean, denominator), scalars.step_size!)), state: { mean, square } };
    },
  };
}
