import { describe, expect, it } from "vitest";
import { Constant } from "../operators/generator/constant.js";
import { add, matMul, relu } from "../operators/index.js";
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
});
