import type { Value } from "../../graph/graph.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import type { Axes } from "./axes.js";
import * as r from "./index.js";

type Reduction = (x: Value, axes?: readonly number[], reduced?: Axes) => Value;

/** Axes kept and dropped, one and several, counted from the end, all of them, none. */
function everyMode(operator: string, reduce: Reduction, range: readonly [number, number] = [-1, 1]): OperatorCase[] {
  const x = { x: { shape: [2, 3, 4], range } };
  return [
    { name: `${operator}: axis 1`, operator, inputs: x, build: ({ x }) => reduce(x!, [1]) },
    { name: `${operator}: axes 0 and -1, kept`, operator, inputs: x, build: ({ x }) => reduce(x!, [-1, 0], "keep") },
    { name: `${operator}: all axes`, operator, inputs: x, build: ({ x }) => reduce(x!) },
    { name: `${operator}: all axes, kept`, operator, inputs: x, build: ({ x }) => reduce(x!, undefined, "keep") },
  ];
}

/** Elements that lie at least 0.05 apart and from zero. */
const apart = { x: { shape: [3, 4], values: [0.3, -0.4, 1.3, -1.6, 0.9, 0.75, -0.7, 2, -0.2, 0.15, 1.1, -1] } } as const;

const apartCases = (operator: string, reduce: Reduction): OperatorCase[] => [
  { name: `${operator}: axis 1`, operator, inputs: apart, build: ({ x }) => reduce(x!, [1]) },
  { name: `${operator}: axis 0, kept`, operator, inputs: apart, build: ({ x }) => reduce(x!, [0], "keep") },
  { name: `${operator}: all axes`, operator, inputs: apart, build: ({ x }) => reduce(x!) },
];

export const reductionCases: readonly OperatorCase[] = [
  ...everyMode("ReduceSum", r.reduceSum),
  ...everyMode("ReduceMean", r.reduceMean),
  ...everyMode("ReduceL2", r.reduceL2),
  ...everyMode("ReduceSumSquare", r.reduceSumSquare),
  ...everyMode("ReduceLogSum", r.reduceLogSum, [0.5, 2]),
  ...everyMode("ReduceLogSumExp", r.reduceLogSumExp),
  ...everyMode("ReduceL1", r.reduceL1, [0.2, 1]),
  ...everyMode("ReduceProd", r.reduceProd, [0.5, 1.5]),
  { name: "ReduceL1: both signs", operator: "ReduceL1", inputs: apart, build: ({ x }) => r.reduceL1(x!, [1]) },
  {
    name: "ReduceProd: one zero, two zeros, none",
    operator: "ReduceProd",
    inputs: { x: { shape: [3, 3], values: [0, 1.5, -2, 0, 0.7, 0, 0.5, -1.2, 0.8] } },
    step: 1e-3,
    build: ({ x }) => r.reduceProd(x!, [1]),
  },
  ...apartCases("ReduceMax", r.reduceMax),
  ...apartCases("ReduceMin", r.reduceMin),
  { name: "ArgMax", operator: "ArgMax", inputs: apart, build: ({ x }) => mul(cast(r.argMax(x!, 1, "keep"), "float32"), x!) },
  { name: "ArgMin", operator: "ArgMin", inputs: apart, build: ({ x }) => mul(cast(r.argMin(x!, 1, "keep"), "float32"), x!) },
  ...(["included", "excluded"] as const).flatMap((own) =>
    (["forward", "reverse"] as const).map((direction) => ({
      name: `CumSum: own element ${own}, ${direction}`,
      operator: "CumSum",
      inputs: { x: { shape: [2, 4] } },
      build: ({ x }: Inputs) => r.cumSum(x!, 1, { own, direction }),
    })),
  ),
];

type Inputs = Readonly<Record<string, Value>>;
