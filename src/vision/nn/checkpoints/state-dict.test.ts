import { describe, expect, it } from "vitest";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { asFloat32, matchParameters, stripPrefix, wrapperPrefix } from "./state-dict.js";

const weight = tensor("float32", [2, 3]);
const bias = tensor("float32", [2]);

describe("matchParameters", () => {
  const expected = new Map([
    ["conv.weight", [2, 3]],
    ["conv.bias", [2]],
  ]);

  it("has nothing to say when everything fits", () => {
    const found = new Map<string, Tensor>([
      ["conv.bias", bias],
      ["conv.weight", weight],
      ["norm.num_batches_tracked", tensor("int64", [], [4n])],
    ]);
    expect(matchParameters(expected, found, { strict: true })).toEqual([]);
  });

  it("names what is missing, unexpected and misshapen", () => {
    const found = new Map([
      ["conv.weight", bias],
      ["head.bias", bias],
    ]);
    const misshapen = 'Parameter "conv.weight" has shape [2] in the checkpoint, but the network expects [2, 3].';
    expect(matchParameters(expected, found, { strict: true })).toEqual([
      misshapen,
      'Parameter "conv.bias" of shape [2] is missing.',
      'Parameter "head.bias" is in the checkpoint, but the network has none of that name.',
    ]);
    expect(matchParameters(expected, found, { strict: false })).toEqual([misshapen]);
  });

  it("points at a wrapper's prefix, and stripping it helps", () => {
    const wrapped = new Map([
      ["module.conv.weight", weight],
      ["module.conv.bias", bias],
    ]);
    expect(matchParameters(expected, wrapped, { strict: true })[0]).toContain('strip the prefix "module."');
    expect(matchParameters(expected, stripPrefix(wrapped, "module."), { strict: true })).toEqual([]);
  });
});

it("refuses what cannot be computed with: whole numbers, and values that are not finite", () => {
  const expected = new Map([["a", [2]]]);
  const sentences = (t: Tensor) => matchParameters(expected, new Map([["a", t]]), { strict: false });
  expect(sentences(tensor("int8", [2], [1, 2]))).toEqual([expect.stringMatching(/is int8 in the checkpoint/)]);
  for (const type of ["float16", "float32", "float64"] as const) {
    expect(sentences(tensor(type, [2], [1, 2]))).toEqual([]);
    for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY])
      expect(sentences(tensor(type, [2], [1, bad]))).toEqual([expect.stringMatching(/"a" holds values that are no finite/)]);
  }
});

it("makes float32 of other floating-point numbers and leaves the rest", () => {
  const state = new Map<string, Tensor>([
    ["half", tensor("float16", [2], [0.5, -1.25])],
    ["double", tensor("float64", [1], [0.1])],
    ["count", tensor("int64", [], [4n])],
  ]);
  expect(asFloat32(state)).toEqual(
    new Map<string, Tensor>([
      ["half", tensor("float32", [2], [0.5, -1.25])],
      ["double", tensor("float32", [1], [0.1])],
      ["count", tensor("int64", [], [4n])],
    ]),
  );
});

it("finds the prefix that wrappers put before every name", () => {
  const prefixOf = (...names: string[]) => wrapperPrefix(new Map(names.map((name) => [name, bias])));
  expect(prefixOf("module.model.a", "module.model.b")).toBe("module.model.");
  expect(prefixOf("module.a", "b")).toBe("");
  expect(prefixOf("conv.a", "conv.b")).toBe("");
});

describe("stripPrefix", () => {
  it("refuses a prefix that nothing bears, and names that collide", () => {
    expect(() => stripPrefix(new Map([["a", bias]]), "module.")).toThrow(/No parameter's name begins with "module\."/);
    const both = new Map([
      ["a", bias],
      ["module.a", bias],
    ]);
    expect(() => stripPrefix(both, "module.")).toThrow(/two parameters are named "a"/);
  });
});
