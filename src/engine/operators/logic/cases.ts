import type { Value } from "../../graph/graph.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import * as l from "./index.js";

const x = { x: { shape: [6], values: [0.3, -0.4, 1.3, -1.6, 0.9, -0.7] } } as const;
type Inputs = Readonly<Record<string, Value>>;

/** A mask from a comparison, which must carry no gradient of its own. */
const masked = (operator: string, mask: (x: Value) => Value): OperatorCase => ({
  name: operator,
  operator,
  inputs: x,
  build: ({ x }: Inputs) => mul(cast(mask(x!), "float32"), x!),
});
/** Whole numbers from the middle between two steps. */
const whole = (x: Value) => cast(add(mul(x, 10), 0.5), "int32");

export const logicCases: readonly OperatorCase[] = [
  {
    name: "Where: broadcast",
    operator: "Where",
    inputs: { ...x, a: { shape: [2, 1] }, b: { shape: [6] } },
    build: ({ x, a, b }) => l.where(l.greater(x!, 0), a!, b!),
  },
  { name: "Where: a number on one side", operator: "Where", inputs: x, build: ({ x }) => l.where(l.less(x!, 0), x!, 2) },
  masked("Greater", (x) => l.greater(x, 0.1)),
  masked("GreaterOrEqual", (x) => l.greaterOrEqual(x, 0.1)),
  masked("Less", (x) => l.less(x, 0.1)),
  masked("LessOrEqual", (x) => l.lessOrEqual(x, 0.1)),
  masked("Equal", (x) => l.equal(x, 0.1)),
  masked("Not", (x) => l.not(l.greater(x, 0.1))),
  masked("And", (x) => l.and(l.greater(x, -0.5), l.less(x, 1))),
  masked("Or", (x) => l.or(l.greater(x, 1), l.less(x, -0.5))),
  masked("Xor", (x) => l.xor(l.greater(x, -0.5), l.less(x, 1))),
  masked("IsNaN", (x) => l.not(l.isNan(x))),
  masked("IsInf", (x) => l.not(l.isInf(x, "positive"))),
  masked("BitwiseAnd", (x) => l.bitwiseAnd(whole(x), 5)),
  masked("BitwiseOr", (x) => l.bitwiseOr(whole(x), 5)),
  masked("BitwiseXor", (x) => l.bitwiseXor(whole(x), 5)),
  masked("BitwiseNot", (x) => l.bitwiseNot(whole(x))),
  masked("BitShift", (x) => l.bitShift(cast(add(mul(x, 10), 32.5), "uint8"), 1, "RIGHT")),
];
