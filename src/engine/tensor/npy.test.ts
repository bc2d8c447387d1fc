import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseNpy, parseNpz, writeNpy, writeNpz } from "./npy.js";
import { type DataType, dataTypes, tensor, toNumbers } from "./tensor.js";

/** Written by NumPy: tools/reference/numpy_files.py. */
const file = (name: string) => new Uint8Array(readFileSync(new URL(`../../../fixtures/numpy/${name}`, import.meta.url)));
const counted = Array.from({ length: 12 }, (_, i) => i);

describe("parseNpy", () => {
  it.each([
    ["float32.npy", "float32", (i: number) => i / 4 - 1],
    ["float16.npy", "float16", (i: number) => i / 4 - 1],
    ["float64-big-endian.npy", "float64", (i: number) => i / 4 - 1],
    ["int64-fortran.npy", "int64", (i: number) => i * -(2 ** 40)],
    ["uint8.npy", "uint8", (i: number) => i],
  ] as const)("reads %s as NumPy wrote it", (name, type, value) => {
    const t = parseNpy(file(name));
    expect({ type: t.type, shape: t.shape }).toEqual({ type, shape: [2, 3, 2] });
    expect(toNumbers(t).map((v) => v + 0)).toEqual(counted.map((i) => value(i) + 0));
  });

  it("reads booleans and scalars", () => {
    expect(parseNpy(file("bool.npy"))).toEqual(tensor("bool", [3], [1, 0, 1]));
    expect(parseNpy(file("scalar.npy"))).toEqual(tensor("float32", [], [2.5]));
  });

  it.each([
    ["complex.npy", /values of type "<c16"; convert them with \.astype/],
    ["text.npy", /values of type "<U1"/],
    ["records.npy", /records; save each field/],
    ["two.npz", /does not begin as \.npy files do/],
  ])("refuses %s in one sentence", (name, sentence) => {
    expect(() => parseNpy(file(name), name)).toThrow(sentence);
  });

  it("refuses a file that is cut short, wherever it ends", () => {
    const whole = file("float32.npy");
    for (let end = 0; end < whole.length; end++) expect(() => parseNpy(whole.slice(0, end))).toThrow(/cut short|begin/);
  });
});

describe("writeNpy", () => {
  it("writes the bytes of numpy.save", () => {
    for (const name of ["float32.npy", "float16.npy", "uint8.npy", "bool.npy", "scalar.npy"]) {
      expect(writeNpy(parseNpy(file(name))), name).toEqual(file(name));
    }
  });

  it.each(dataTypes as DataType[])("comes back as it was: %s", (type) => {
    for (const shape of [[], [3], [2, 0], [2, 3]]) {
      const t = tensor(type, shape, new Array(shape.reduce((n, d) => n * d, 1)).fill(1));
      expect(parseNpy(writeNpy(t))).toEqual(t);
    }
  });
});

it("npz files come back, NumPy's compressed ones too, and the same tensors give the same bytes", () => {
  const tensors = parseNpz(file("two.npz"));
  expect([...tensors.keys()]).toEqual(["images", "labels"]);
  expect(toNumbers(tensors.get("labels")!)).toEqual([3, 1]);
  const written = writeNpz(tensors);
  expect(parseNpz(written)).toEqual(tensors);
  expect(writeNpz(tensors)).toEqual(written);
  expect(() => parseNpz(file("bool.npy"))).toThrow(/no ZIP archive/);
});
