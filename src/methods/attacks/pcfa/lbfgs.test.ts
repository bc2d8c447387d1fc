import { expect, it } from "vitest";
import { Lbfgs, usualOptions } from "./lbfgs.js";

/** Σ 100 (x_{i+1} - x_i²)² + (1 - x_i)² */
function rosenbrock(x: Float64Array) {
  let value = 0;
  const gradient = new Float64Array(x.length);
  for (let i = 0; i + 1 < x.length; i++) {
    const d = x[i + 1]! - x[i]! ** 2;
    value += 100 * d * d + (1 - x[i]!) ** 2;
    gradient[i]! += -400 * d * x[i]! - 2 * (1 - x[i]!);
    gradient[i + 1]! += 200 * d;
  }
  return { value, gradient };
}

/** Σ 3^i (x_i - i - 1)² + cos x_i */
function bowl(x: Float64Array) {
  const value = x.reduce((sum, v, i) => sum + 3 ** i * (v - i - 1) ** 2 + Math.cos(v), 0);
  return { value, gradient: x.map((v, i) => 2 * 3 ** i * (v - i - 1) - Math.sin(v)) };
}

// torch.optim.LBFGS 2.15 in float64, max_iter 10, after each of four calls of step().
const traces = [
  [
    "strong Wolfe",
    1,
    rosenbrock,
    [
      [-0.6958731819396783, 0.4963333415754436, 0.25379426777246245, 0.06454820011826976],
      [-0.7597639146082528, 0.5892655346506621, 0.3530898173016774, 0.12376177253726971],
      [-0.7756595611389062, 0.6130936361716519, 0.3820632555695541, 0.14597242850115325],
      [-0.7756595611389062, 0.6130936361716519, 0.3820632555695541, 0.14597242850115325],
    ],
  ],
  [
    "none",
    0.2,
    bowl,
    [
      [-0.8058125721267948, 1.5944223685979102, 2.561805454724069, 3.426971104408155],
      [-0.19620601812223679, 2.0341683174400313, 2.9980751546288373, 3.97607347878908],
      [1.232896520980959, 2.1931029793656625, 3.0366649215448, 4.023234988422527],
      [1.47612050324745, 2.147622809036084, 3.010971123903452, 3.9906507791250942],
    ],
  ],
] as const;

it.each(traces)("line search %s: PyTorch's points", (lineSearch, learningRate, of, points) => {
  const optimizer = new Lbfgs([-1.2, 1, 0.5, -0.7], { ...usualOptions, lineSearch, learningRate, iterations: 10 });
  for (const due of points) {
    const asking = optimizer.step();
    for (let ask = asking.next(); !ask.done; ) ask = asking.next(of(ask.value));
    // Pairs are kept in float32.
    due.forEach((v, i) => {
      expect(Math.abs(optimizer.point[i]! - v)).toBeLessThan(2e-4);
    });
  }
});
