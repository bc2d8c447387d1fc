import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import * as e from "./index.js";

const x = { x: { shape: [2, 5] } } as const;
const positive = { x: { shape: [2, 5], range: [0.5, 2] } } as const;
/** Both signs, away from zero. */
const awayFromZero = { x: { shape: [2, 4], values: [0.3, -0.4, 1.2, -1.5, 0.8, -0.7, 0.5, -2] } } as const;
const pair = { a: { shape: [2, 3, 4] }, b: { shape: [3, 1], range: [0.5, 1.5] } } as const;

/** Far from whole numbers and from halves. */
const awayFromUnits = { x: { shape: [6], values: [0.3, -0.3, 1.25, -1.75, 2.2, -2.7] } } as const;
/** No two elements that meet are near each other. */
const distinct = {
  a: { shape: [2, 3], values: [0.1, 0.9, -0.5, 0.6, -0.2, 0.4] },
  b: { shape: [3], values: [0.3, 0.2, -0.1] },
  c: { shape: [2, 1], values: [-0.3, 0.75] },
} as const;
type Inputs = Readonly<Record<string, Value>>;

export const elementwiseCases: readonly OperatorCase[] = [
  { name: "Add: broadcast", operator: "Add", inputs: pair, build: ({ a, b }) => e.add(a!, b!) },
  { name: "Add: by a number", operator: "Add", inputs: positive, build: ({ x }) => e.add(x!, 0.7) },
  { name: "Sub: broadcast", operator: "Sub", inputs: pair, build: ({ a, b }) => e.sub(a!, b!) },
  { name: "Sub: by a number", operator: "Sub", inputs: positive, build: ({ x }) => e.sub(0.7, x!) },
  { name: "Mul: broadcast", operator: "Mul", inputs: pair, build: ({ a, b }) => e.mul(a!, b!) },
  { name: "Mul: by a number", operator: "Mul", inputs: positive, build: ({ x }) => e.mul(x!, 0.7) },
  { name: "Div: broadcast", operator: "Div", inputs: pair, build: ({ a, b }) => e.div(a!, b!) },
  { name: "Div: by a number", operator: "Div", inputs: positive, build: ({ x }) => e.div(0.7, x!) },
  { name: "Mul: a value by itself", operator: "Mul", inputs: x, build: ({ x }) => e.mul(x!, x!) },
  { name: "Neg", operator: "Neg", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.neg(x!) },
  { name: "Exp", operator: "Exp", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.exp(x!) },
  { name: "Log", operator: "Log", inputs: { x: { shape: [2, 5], range: [0.5, 2] } }, build: ({ x }) => e.log(x!) },
  { name: "Sqrt", operator: "Sqrt", inputs: { x: { shape: [2, 5], range: [0.5, 2] } }, build: ({ x }) => e.sqrt(x!) },
  {
    name: "Reciprocal",
    operator: "Reciprocal",
    inputs: { x: { shape: [2, 5], range: [0.5, 2] } },
    build: ({ x }) => e.reciprocal(x!),
  },
  { name: "Sin", operator: "Sin", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.sin(x!) },
  { name: "Cos", operator: "Cos", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.cos(x!) },
  { name: "Tan", operator: "Tan", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.tan(x!) },
  { name: "Asin", operator: "Asin", inputs: { x: { shape: [2, 5], range: [-0.8, 0.8] } }, build: ({ x }) => e.asin(x!) },
  { name: "Acos", operator: "Acos", inputs: { x: { shape: [2, 5], range: [-0.8, 0.8] } }, build: ({ x }) => e.acos(x!) },
  { name: "Atan", operator: "Atan", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.atan(x!) },
  { name: "Sinh", operator: "Sinh", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.sinh(x!) },
  { name: "Cosh", operator: "Cosh", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.cosh(x!) },
  { name: "Tanh", operator: "Tanh", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.tanh(x!) },
  { name: "Asinh", operator: "Asinh", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.asinh(x!) },
  { name: "Acosh", operator: "Acosh", inputs: { x: { shape: [2, 5], range: [1.5, 3] } }, build: ({ x }) => e.acosh(x!) },
  { name: "Atanh", operator: "Atanh", inputs: { x: { shape: [2, 5], range: [-0.8, 0.8] } }, build: ({ x }) => e.atanh(x!) },
  { name: "Erf", operator: "Erf", inputs: { x: { shape: [2, 5] } }, build: ({ x }) => e.erf(x!) },

  { name: "Abs", operator: "Abs", inputs: awayFromZero, build: ({ x }) => e.abs(x!) },
  { name: "Floor", operator: "Floor", inputs: awayFromUnits, build: ({ x }) => e.mul(e.floor(x!), x!) },
  { name: "Ceil", operator: "Ceil", inputs: awayFromUnits, build: ({ x }) => e.mul(e.ceil(x!), x!) },
  { name: "Round", operator: "Round", inputs: awayFromUnits, build: ({ x }) => e.mul(e.round(x!), x!) },
  { name: "Sign", operator: "Sign", inputs: awayFromZero, build: ({ x }) => e.mul(e.sign(x!), x!) },
  { name: "Clip: both bounds", operator: "Clip", inputs: awayFromZero, build: ({ x }) => e.clip(x!, -0.6, 0.9) },
  { name: "Clip: low bound", operator: "Clip", inputs: awayFromZero, build: ({ x }) => e.clip(x!, -0.6) },
  { name: "Clip: high bound", operator: "Clip", inputs: awayFromZero, build: ({ x }) => e.clip(x!, undefined, 0.9) },
  {
    name: "Clip: bounds that vary",
    operator: "Clip",
    inputs: { ...awayFromZero, low: { shape: [], values: [-0.6] }, high: { shape: [], values: [0.9] } },
    build: ({ x, low, high }) => e.clip(x!, low, high),
  },
  { name: "Max: two, broadcast", operator: "Max", inputs: distinct, build: ({ a, b }) => e.max(a!, b!) },
  { name: "Max: three", operator: "Max", inputs: distinct, build: ({ a, b, c }) => e.max(a!, b!, c!) },
  { name: "Max: one", operator: "Max", inputs: x, build: ({ x }) => e.max(x!) },
  { name: "Min: two, broadcast", operator: "Min", inputs: distinct, build: ({ a, b }) => e.min(a!, b!) },
  { name: "Min: three", operator: "Min", inputs: distinct, build: ({ a, b, c }) => e.min(a!, b!, c!) },
  { name: "Min: one", operator: "Min", inputs: x, build: ({ x }) => e.min(x!) },
  { name: "Sum", operator: "Sum", inputs: distinct, build: ({ a, b, c }) => e.sum(a!, b!, c!) },
  { name: "Mean", operator: "Mean", inputs: distinct, build: ({ a, b, c }) => e.mean(a!, b!, c!) },
  {
    name: "Mod: of the dividend's sign",
    operator: "Mod",
    inputs: { a: { shape: [4], values: [2.6, -2.7, 5.3, 0.4] }, b: { shape: [], values: [1.1] } },
    build: ({ a, b }) => e.mod(a!, b!),
  },
  {
    name: "Cast: through float64",
    operator: "Cast",
    inputs: x,
    build: ({ x }) => e.cast(e.exp(e.cast(x!, "float64")), "float32"),
  },
  {
    name: "Cast: to whole numbers and back",
    operator: "Cast",
    inputs: awayFromUnits,
    build: ({ x }) => e.mul(e.cast(e.cast(x!, "int32"), "float32"), x!),
  },
  {
    name: "CastLike",
    operator: "CastLike",
    inputs: x,
    build: ({ x }, graph) => e.cast(e.castLike(x!, graph.constant(tensor("float64", [], [0]))), "float32"),
  },
  ...[0, 0.5, 1, 1.5, 2, 2.5, 3, 4, -0.5, -1, -2].map((p) => ({
    name: `Pow: to the constant ${p}`,
    operator: "Pow",
    inputs: positive,
    build: ({ x }: Inputs) => e.add(e.pow(x!, p), x!),
  })),
  { name: "Pow: negative base", operator: "Pow", inputs: awayFromZero, build: ({ x }) => e.pow(x!, 3) },
  {
    name: "Pow: base and exponent vary",
    operator: "Pow",
    inputs: { x: { shape: [3, 4], range: [0.5, 2] }, p: { shape: [4], range: [-2, 2] } },
    build: ({ x, p }) => e.pow(x!, p!),
  },
  { name: "Pow: a number to a varying exponent", operator: "Pow", inputs: x, build: ({ x }) => e.pow(2, x!) },
  {
    name: "Pow: constant exponents that differ",
    operator: "Pow",
    inputs: { x: { shape: [2, 3], range: [0.5, 2] } },
    build: ({ x }, graph) => e.pow(x!, graph.constant(tensor("float32", [3], [0, 1.5, -1]))),
  },
];
