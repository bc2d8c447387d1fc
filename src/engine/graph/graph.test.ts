import { describe, expect, it } from "vitest";
import { Constant } from "../operators/generator/constant.js";
import { ConstantOfShape } from "../operators/generator/constant-of-shape.js";
import { RandomNormal } from "../operators/generator/random-normal.js";
import { add, cast, emit, expand, matMul, mul, oneHot, pad, relu, reshape, resize, tile } from "../operators/index.js";
import { tensor } from "../tensor/tensor.js";
import { copyNodes } from "./copy.js";
import { Graph, type Value } from "./graph.js";

const long = (last: number) => tensor("float32", [1000], new Float32Array(1000).fill(1, 0, 999).fill(last, 999));

describe("Graph", () => {
  it("shares equal nodes, those of a file that hold long tensors too, and keeps apart what differs in one element or a sign", () => {
    const graph = new Graph();
    const constant = (last: number) => graph.add(Constant, [], { value: long(last) })[0]!;
    expect(constant(2)).toBe(constant(2));
    expect(constant(0)).not.toBe(constant(-0));
    expect(constant(0)).not.toBe(constant(2));
    const x = graph.input("x", "float32", [2]);
    expect(relu(x)).toBe(relu(x));
  });

  it("infers types anew where a copied node's operands are others", () => {
    const source = new Graph();
    const [a, b] = [source.input("a", "float32", [2, 3]), source.input("b", "float32", [3, 4])];
    const c = relu(matMul(a, b));
    const target = new Graph();
    const moved = new Map<Value, Value>([
      [a, target.input("a", "float32", [5, 3])],
      [b, target.input("b", "float32", [3, 4])],
    ]);
    expect(copyNodes(source.nodes, target, moved)(c).shape).toEqual([5, 4]);
    const wrong = new Map<Value, Value>([
      [a, target.input("a2", "float32", [2, 7])],
      [b, moved.get(b)!],
    ]);
    expect(() => copyNodes(source.nodes, target, wrong)).toThrow(/MatMul/);
    expect(() => add(a, moved.get(b)!)).toThrow(/another graph/);
  });

  /** More bytes than a processor can address. */
  const absurd = 2 ** 46;
  const tables: Readonly<Record<string, (x: Value) => Value>> = {
    Tile: (x) => tile(x, [absurd, 1]),
    Expand: (x) => expand(x, [absurd, 2, 2]),
    Pad: (x) => pad(x, [0, 0, absurd, 0]),
    Resize: (x) => resize(x, { sizes: [absurd, 2], mode: "linear" }),
    OneHot: (x) => oneHot(cast(x, "int64"), absurd),
    ConstantOfShape: (x) => emit(ConstantOfShape, [x.graph.constant(tensor("int64", [1], [absurd]))]),
    RandomNormal: (x) => x.graph.add(RandomNormal, [], { shape: [absurd] })[0]!,
    Mul: (x) => mul(reshape(expand(x, [2 ** 24, 2, 2]), [-1, 1]), reshape(expand(x, [2 ** 24, 2, 2]), [1, -1])),
  };
  it.each(Object.keys(tables))("refuses an output of %s that no memory holds", (name) => {
    const x = new Graph().input("x", "float32", [2, 2]);
    expect(() => tables[name]!(x)).toThrow(new RegExp(`^${name}: its output \\[.*\\] is larger than any memory`));
  });
});
