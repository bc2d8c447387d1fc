import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Value } from "../graph/graph.js";
import * as o from "../operators/index.js";
import { Random } from "../tensor/random.js";
import { type Shape, tensor } from "../tensor/tensor.js";
import { checkDirectional, type OperatorCase } from "../testing/operator-case.js";
import { gradients } from "./gradients.js";

const shapes: readonly Shape[] = [[2, 3, 4], [3, 4], [4], [2, 1, 4], [2, 4, 3]];

/** One more value made from known ones by a smooth operator whose results stay of the order of 1. */
type Step = (random: Random, any: () => Value) => Value | undefined;

const last = (x: Value) => x.shape.length - 1;
const constant = (like: Value, shape: Shape, random: Random) =>
  like.graph.constant(
    tensor(
      "float32",
      shape,
      Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => random.uniform(0.2, 1)),
    ),
  );
const unary =
  (f: (x: Value) => Value): Step =>
  (_, any) =>
    f(any());
const binary =
  (f: (a: Value, b: Value) => Value): Step =>
  (_, any) => {
    const [a, b] = [any(), any()];
    const rank = Math.max(a.shape.length, b.shape.length);
    const at = (v: Value, axis: number) => v.shape[axis - rank + v.shape.length] ?? 1;
    const fits = Array.from({ length: rank }, (_, i) => at(a, i) === at(b, i) || at(a, i) === 1 || at(b, i) === 1);
    return fits.every(Boolean) ? f(a, b) : undefined;
  };
const alongAnAxis =
  (f: (x: Value, axis: number) => Value): Step =>
  (random, any) => {
    const x = any();
    return f(x, random.integer(x.shape.length));
  };
/** `√(1 + x²)`, at least 1. */
const lifted = (x: Value) => o.sqrt(o.add(o.mul(x, x), 1));

const steps: readonly Step[] = [
  unary(o.tanh),
  unary(o.sigmoid),
  unary(o.sin),
  unary(o.cos),
  unary(o.erf),
  unary(o.atan),
  unary(o.asinh),
  unary(o.softplus),
  unary(o.mish),
  unary((x) => o.gelu(x)),
  unary((x) => o.gelu(x, "tanh")),
  unary(o.silu),
  unary(lifted),
  unary((x) => o.exp(o.tanh(x))),
  unary((x) => o.log(lifted(x))),
  unary((x) => o.reciprocal(lifted(x))),
  unary((x) => o.pow(lifted(x), -1.5)),
  unary((x) => o.atanh(o.mul(o.tanh(x), 0.6))),
  unary((x) => o.neg(x)),
  unary((x) => o.mul(o.transpose(x), 0.8)),
  unary((x) => o.reshape(x, [-1])),
  binary((a, b) => o.mul(o.tanh(a), b)),
  binary((a, b) => o.mul(o.add(a, b), 0.7)),
  binary((a, b) => o.mul(o.sub(a, b), 0.7)),
  binary((a, b) => o.div(a, lifted(b))),
  binary((a, b) => o.pow(lifted(o.tanh(a)), o.sin(b))),
  binary((a, b) => o.mean(a, b)),
  alongAnAxis(o.softmax),
  alongAnAxis((x, axis) => o.mul(o.logSoftmax(x, axis), 0.5)),
  alongAnAxis((x, axis) => o.reduceMean(x, [axis], "keep")),
  alongAnAxis((x, axis) => o.mul(o.reduceSum(x, [axis], "keep"), 0.4)),
  alongAnAxis((x, axis) => o.mul(o.reduceLogSumExp(x, [axis], "keep"), 0.5)),
  alongAnAxis((x, axis) => o.mul(o.reduceL2(lifted(x), [axis], "keep"), 0.3)),
  alongAnAxis((x, axis) => o.mul(o.cumSum(x, axis), 0.4)),
  alongAnAxis((x, axis) => o.lpNormalization(lifted(x), axis)),
  (random, any) => {
    const x = any();
    return o.layerNormalization(x, constant(x, [x.shape.at(-1)!], random), undefined, last(x), 0.5);
  },
  (random, any) => {
    const x = any();
    return x.shape.length < 2 ? undefined : o.mul(o.matMul(x, constant(x, [x.shape.at(-1)!, 4], random)), 0.5);
  },
  (_, any) => {
    const x = any();
    return x.shape.length !== 3 ? undefined : o.mul(o.einsum("bij,bkj->bik", x, o.tanh(x)), 0.4);
  },
  (random, any) => {
    const x = any();
    const mask = o.greater(constant(x, x.shape, random), 0.6);
    return o.where(mask, x, o.tanh(x));
  },
];

/** Three random functions of three inputs, the same for the same seed. */
function randomGraph(seed: number, operators: number, inputs: readonly Value[]): readonly Value[] {
  const random = new Random(seed, "graph");
  const values = [...inputs];
  // recent values are drawn more often, so that graphs are deep as well as wide
  const any = () => values[Math.max(0, values.length - 1 - Math.floor(values.length * random.uniform() ** 2))]!;
  while (values.length < inputs.length + operators) {
    const value = steps[random.integer(steps.length)]!(random, any);
    if (value && value.shape.length > 0) values.push(value);
  }
  return values.slice(-3);
}

const caseOf = (seed: number, operators: number, build: OperatorCase["build"]): OperatorCase => {
  const random = new Random(seed, "shapes");
  const input = () => ({ shape: shapes[random.integer(shapes.length)]! });
  return {
    name: `${operators} operators, seed ${seed}`,
    operator: "",
    inputs: { a: input(), b: input(), c: input() },
    step: 4e-3,
    build,
  };
};

const runs = { numRuns: 60, seed: 20240611 };

/** Draws graphs and checks what `derive` makes of them; `tolerance` is relative to the size of the terms of the directional derivative. */
async function check(
  most: number,
  tolerance: number,
  derive: (outputs: readonly Value[], inputs: readonly Value[]) => readonly Value[],
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000_000), fc.integer({ min: 5, max: most }), async (seed, operators) => {
      const test = caseOf(seed, operators, (inputs) => {
        const wrt = Object.values(inputs);
        return derive(randomGraph(seed, operators, wrt), wrt);
      });
      const { finiteDifference, gradient, scale } = (await checkDirectional(test, seed % 2 === 0 ? "all" : "disabled", {
        seed,
      }))!;
      expect(Math.abs(finiteDifference - gradient)).toBeLessThanOrEqual(tolerance * scale + 2e-4);
    }),
    runs,
  );
}

describe("random graphs of smooth operators", () => {
  it("have the gradient that finite differences show", () => check(30, 2e-3, (outputs) => outputs));

  it("have second derivatives too: a gradient is a graph that can be differentiated", () =>
    check(12, 5e-3, (outputs, inputs) => gradients(outputs.map((v) => o.reduceSum(v)).reduce(o.add), inputs)));
});
