import { describe, expect, it } from "vitest";
import { completeAttributes } from "../graph/attributes.js";
import { Graph, GraphError, type Value } from "../graph/graph.js";
import type { AttributeSpec, Operator } from "../graph/operator.js";
import { tensor } from "../tensor/tensor.js";
import { emit } from "./emit.js";
import { operatorForms } from "./forms/index.js";
import { operatorFamilies } from "./index.js";

/** Texts that may say anything. */
const free = ["equation", "value_string", "pattern", "delimiter", "pixel_format"];

const operators = [
  ...Object.values<Readonly<Record<string, Operator>>>(operatorFamilies).flatMap((family) => Object.values(family)),
  ...operatorForms,
];
const attributes = operators.flatMap((operator) =>
  Object.entries(operator.attributes).map(([name, spec]) => {
    const form = operator.opsets ? ` of opset ${operator.opsets[0]}` : "";
    return { title: `${operator.domain}.${operator.name}${form}: ${name}`, operator, name, spec };
  }),
);

/** Something of another kind, for each kind. */
const wrongKind = (kind: AttributeSpec["kind"]): unknown => (kind === "int" || kind === "float" || kind === "string" ? [1] : 1);

function failure(operator: Operator, given: Record<string, unknown>): string | undefined {
  try {
    completeAttributes(operator, given, (message) => {
      throw new Error(message);
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("attributes", () => {
  it("that are texts say what they may be", () => {
    const open = attributes.filter(({ name, spec }) => spec.kind === "string" && !spec.choices && !free.includes(name));
    expect(open.map(({ title }) => title)).toEqual([]);
  });

  it("of another kind are refused, with what they are and what they must be", () => {
    for (const { title, operator, name, spec } of attributes)
      expect(failure(operator, { [name]: wrongKind(spec.kind) }), title).toMatch(
        new RegExp(`^its attribute ${name} is .+, where it must be a `),
      );
  });

  it("that are none of their choices are refused, with all choices", () => {
    const chosen = attributes.filter(({ spec }) => spec.choices);
    expect(chosen.length).toBeGreaterThan(80);
    for (const { title, operator, name, spec } of chosen) {
      const message = failure(operator, { [name]: spec.kind === "string" ? "nonsense" : 77 });
      expect(message, title).toMatch(new RegExp(`^its attribute ${name} is ("nonsense"|77), where it must be one of `));
      for (const choice of spec.choices!) expect(message).toContain(String(choice));
    }
  });

  it.each<readonly [string, (graph: Graph) => Value, RegExp]>([
    [
      "heads",
      (graph) => {
        const x = graph.input("x", "float32", [1, 3, 8]);
        return emit(operatorFamilies.microsoft.MultiHeadAttention, [x, x, x], { num_heads: 7 });
      },
      /^MultiHeadAttention: 7 heads do not share 8 columns evenly/,
    ],
    [
      "sizes of packed weights",
      (graph) => {
        const w = graph.constant(tensor("uint8", [5, 1, 16], Array(80).fill(7)));
        const scales = graph.constant(tensor("float32", [5], [1, 1, 1, 1, 1]));
        const sizes = { K: 16, N: 7, bits: 8, block_size: 16 };
        return emit(operatorFamilies.quantization.MatMulNBits, [graph.input("x", "float32", [2, 16]), w, scales], sizes);
      },
      /^MatMulNBits: its weights hold 80 elements, where N = 7, K = 16, block_size = 16 ask for 112/,
    ],
    [
      "a size below 0",
      (graph) => {
        const [x, rois, batch] = [
          graph.input("x", "float32", [1, 1, 4, 4]),
          graph.input("r", "float32", [2, 4]),
          graph.input("b", "int64", [2]),
        ];
        return emit(operatorFamilies.pooling.RoiAlign, [x, rois, batch], { output_height: -1 });
      },
      /^RoiAlign: its attributes make an output of the shape \[2, 1, -1, 1\]/,
    ],
    [
      "groups below 1",
      (graph) => {
        const w = graph.constant(tensor("float32", [1, 1, 2, 2], [1, 2, 3, 4]));
        return emit(operatorFamilies.convolution.ConvTranspose, [graph.input("x", "float32", [1, 1, 4, 4]), w], { group: -1 });
      },
      /^ConvTranspose: its group is -1, where it must be at least 1/,
    ],
    [
      "an axis twice",
      (graph) => {
        const sizes = graph.constant(tensor("int64", [2], [1, 2]));
        return emit(operatorFamilies.layout.CenterCropPad, [graph.input("x", "float32", [3, 4]), sizes], { axes: [-1, 1] });
      },
      /^CenterCropPad: its axes \[-1,1\] name one twice/,
    ],
    [
      "a window with fewer axes than its weights",
      (graph) => {
        const w = graph.constant(tensor("float32", [1, 1, 2, 1], [1, 2]));
        return emit(operatorFamilies.convolution.Conv, [graph.input("x", "float32", [1, 1, 4, 4]), w], { kernel_shape: [2] });
      },
      /^Conv: kernel_shape \[2\] is not that of the weights, \[2, 1\]/,
    ],
  ])("that do not fit the operands are refused in one sentence: %s", (_, build, message) => {
    expect(() => build(new Graph())).toThrow(GraphError);
    expect(() => build(new Graph())).toThrow(message);
  });

  it("of names that every object knows are as unknown as others", () => {
    const relu = operatorFamilies.activation.Relu;
    for (const name of ["constructor", "toString", "hasOwnProperty"])
      expect(failure(relu, { [name]: 1 })).toBe(`it has no attribute "${name}"; it has none`);
    expect(failure(relu, Object.fromEntries([["__proto__", 1]]))).toBe('it has no attribute "__proto__"; it has none');
  });
});
