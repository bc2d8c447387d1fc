import { expect, it } from "vitest";
import { Graph, type Value } from "../graph/graph.js";
import * as o from "../operators/index.js";
import { Ranges } from "./ranges.js";

type Expression = (x: Value, y: Value) => Value;

const finite: Readonly<Record<string, Expression>> = {
  "x y + x": (x, y) => o.add(o.mul(x, y), x),
  "√(x² + y²)": (x, y) => o.sqrt(o.add(o.mul(x, x), o.mul(y, y))),
  "y / √(mean x² + ε)": (x, y) => o.div(y, o.sqrt(o.add(o.reduceMean(o.mul(x, x), [1], "keep"), 1e-5))),
  "log σ(x) with a floor": (x) => o.log(o.add(o.sigmoid(x), 1e-6)),
  "e^(x - max x)": (x) => o.exp(o.sub(x, o.reduceMax(x, [1], "keep"))),
  "e^(x - relu(max x))": (x) => o.exp(o.sub(x, o.relu(o.reduceMax(x, [1], "keep")))),
  "e^(min(x, y) - y)": (x, y) => o.exp(o.sub(o.min(x, y), y)),
  "e^-x²": (x) => o.exp(o.neg(o.mul(x, x))),
  "x / max(|y|, ε)": (x, y) => o.div(x, o.max(o.abs(y), 1e-12)),
  "x / clip(y; 1, 6)": (x, y) => o.div(x, o.clip(y, 1, 6)),
  "x^3, (x²)^0.5, (x² + 1)^-1.5": (x) => o.add(o.pow(x, 3), o.add(o.pow(o.mul(x, x), 0.5), o.pow(o.add(o.mul(x, x), 1), -1.5))),
  "1 / softplus(relu(x) + 1)": (x) => o.reciprocal(o.add(o.softplus(x), 1)),
};

const unknown: Readonly<Record<string, Expression>> = {
  "√x": (x) => o.sqrt(x),
  "1 / √(x²)": (x) => o.reciprocal(o.sqrt(o.mul(x, x))),
  "x / y": (x, y) => o.div(x, y),
  "log relu(x)": (x) => o.log(o.relu(x)),
  "e^x": (x) => o.exp(x),
  "e^(x - max y)": (x, y) => o.exp(o.sub(x, o.reduceMax(y, [1], "keep"))),
  "e^(x - max x), turned": (x) => o.exp(o.sub(x, o.reshape(o.reduceMax(x, [1]), [1, 3]))),
  "e^(y - min(x, y))": (x, y) => o.exp(o.sub(y, o.min(x, y))),
  "x · ∞": (x) => o.mul(x, Number.POSITIVE_INFINITY),
  "x^-1": (x) => o.pow(x, -1),
  "x^0.5": (x) => o.pow(x, 0.5),
  "atanh x": (x) => o.atanh(x),
};

const staysFinite = (expression: Expression): boolean => {
  const graph = new Graph();
  const [x, y] = [graph.input("x", "float32", [3, 3]), graph.input("y", "float32", [3, 3])];
  return new Ranges(graph).staysFinite(expression(x, y));
};

it.each(Object.entries(finite))("%s stays finite", (_, expression) => expect(staysFinite(expression)).toBe(true));
it.each(Object.entries(unknown))("%s may be infinite or NaN", (_, expression) => expect(staysFinite(expression)).toBe(false));
