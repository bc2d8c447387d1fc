import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSafetensors, SafetensorsError, writeSafetensors } from "./safetensors.js";
import { bytesPerElement, type DataType, dataTypes, type Tensor, tensor } from "./tensor.js";

const golden = "../shared/golden";

/** A file with a hand-written header. */
function file(header: string, body: number[] | Uint8Array = [], claimed?: number): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(claimed ?? text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

const entry = (dtype: string, shape: number[], from: number, to: number) =>
  `{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${from},${to}]}`;

function raw(t: Tensor): Uint8Array {
  return new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
}

const anyTensor = fc
  .tuple(fc.constantFrom(...dataTypes), fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }))
  .chain(([type, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1) * bytesPerElement(type);
    return fc.uint8Array({ minLength: size, maxLength: size }).map((bytes): Tensor => {
      const t = tensor(type as DataType, shape);
      raw(t).set(type === "bool" ? bytes.map((v) => v & 1) : bytes);
      return t;
    });
  });

describe("safetensors", () => {
  it("gives back every type, order, bit pattern and metadata", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), anyTensor), { maxLength: 6 }),
        fc.dictionary(fc.string(), fc.string()),
        (entries, metadata) => {
          const tensors = new Map(entries.filter(([name]) => name !== "__metadata__"));
          const bytes = writeSafetensors(tensors, metadata);
          expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
          const back = parseSafetensors(bytes);
          expect([...back.tensors.keys()]).toEqual([...tensors.keys()]);
          for (const [name, t] of tensors) {
            const { type, shape, data } = back.tensors.get(name)!;
            expect([type, shape]).toEqual([t.type, t.shape]);
            expect(data.constructor).toBe(t.data.constructor);
            expect(raw(back.tensors.get(name)!)).toEqual(raw(t));
          }
          expect(Object.entries(back.metadata).sort()).toEqual(Object.entries(metadata).sort());
          expect(writeSafetensors(back.tensors, back.metadata)).toEqual(bytes);
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  it("writes the bytes that the format's description gives", () => {
    const bytes = writeSafetensors(new Map([["b", tensor("int16", [2], [1, -2])]]));
    expect(new TextDecoder().decode(bytes.subarray(8, -4)).trimEnd()).toBe(
      '{"b":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}',
    );
    expect([...bytes.subarray(-4)]).toEqual([1, 0, 0xfe, 0xff]);
  });

  it("widens bfloat16 exactly, also at an odd offset", () => {
    const { tensors } = parseSafetensors(
      file(`{"a":${entry("U8", [1], 0, 1)},"b":${entry("BF16", [3], 1, 7)}}`, [9, 0x80, 0x3f, 0x49, 0xc0, 0x80, 0x7f]),
    );
    expect(tensors.get("b")).toEqual(tensor("float32", [3], [1, -3.140625, Number.POSITIVE_INFINITY]));
  });

  it("reads a file that is itself a slice at an odd address", () => {
    const bytes = writeSafetensors(new Map([["x", tensor("float64", [2], [Math.PI, -0])]]));
    const odd = new Uint8Array(bytes.length + 3).subarray(3);
    odd.set(bytes);
    expect(parseSafetensors(odd).tensors.get("x")).toEqual(tensor("float64", [2], [Math.PI, -0]));
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["too short", new Uint8Array(5), /at least 8 bytes/],
    ["header beyond the file", file("{}", [], 400), /claims 400 bytes, but only 2 follow/],
    ["huge header", file("{}", [], 2 ** 40), /at most 100000000/],
    ["not JSON", file("hello"), /not valid JSON/],
    ["not UTF-8", file("{}", [], 2).map((v, i) => (i === 8 ? 0xff : v)), /not valid JSON/],
    ["not an object", file("[]"), /not a JSON object/],
    ["duplicate name", file(`{"a":${entry("U8", [0], 0, 0)}, "\\u0061" : ${entry("U8", [0], 0, 0)}}`), /names "a" twice/],
    ["overlap", file(`{"a":${entry("U8", [4], 0, 4)},"b":${entry("U8", [4], 2, 6)}}`, new Uint8Array(6)), /"b".*overlaps/],
    ["gap", file(`{"a":${entry("U8", [1], 0, 1)},"b":${entry("U8", [1], 2, 3)}}`, new Uint8Array(3)), /gap of 1 bytes/],
    ["trailing bytes", file(`{"a":${entry("U8", [1], 0, 1)}}`, [1, 2]), /1 bytes follow/],
    ["beyond the end", file(`{"a":${entry("U8", [9], 0, 9)}}`, [1, 2]), /ends at byte 9.*only 2/],
    [
      "size mismatch",
      file(`{"a":${entry("F32", [2], 0, 4)}}`, new Uint8Array(4)),
      /8 bytes, but its data_offsets \[0, 4\] span 4/,
    ],
    ["reversed offsets", file(`{"a":${entry("U8", [4], 4, 0)}}`, new Uint8Array(4)), /span -4/],
    ["overflowing shape", file(`{"a":${entry("U8", [2 ** 40, 2 ** 40], 0, 0)}}`), /span 0/],
    ["overflow times zero", file(`{"a":${entry("U8", [...Array(20).fill(2 ** 53 - 1), 0], 0, 0)}}`), /NaN bytes/],
    ["negative dimension", file(`{"a":${entry("U8", [-1], 0, 1)}}`, [0]), /whole numbers/],
    ["missing field", file(`{"a":{"dtype":"U8"}}`), /entry "a" needs/],
    ["unknown type", file(`{"a":${entry("F8_E4M3", [1], 0, 1)}}`, [0]), /type F8_E4M3/],
    ["inherited name as type", file(`{"a":${entry("toString", [1], 0, 1)}}`, [0]), /type toString/],
    ["metadata that is not strings", file(`{"__metadata__":{"a":1}}`), /strings to strings/],
    ["truth values other than 0 and 1", file(`{"a":${entry("BOOL", [1], 0, 1)}}`, [2]), /other than 0 and 1/],
  ])("refuses: %s", (_, bytes, message) => {
    expect(() => parseSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => parseSafetensors(bytes)).toThrow(message);
  });

  it("refuses to write a tensor under the reserved name", () => {
    expect(() => writeSafetensors(new Map([["__metadata__", tensor("float32", [])]]))).toThrow(SafetensorsError);
  });

  it("meets every damaged file with its own error", () => {
    const good = writeSafetensors(
      new Map<string, Tensor>([
        ["weight", tensor("float32", [2, 3], [1, 2, 3, 4, 5, 6])],
        ["steps", tensor("int64", [1], [7n])],
      ]),
      { source: "test" },
    );
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, fc.nat(good.length), (changes, length) => {
        const bad = good.slice(0, Math.max(length, good.length >> 1));
        for (const [at, value] of changes) if (at < bad.length) bad[at] = value;
        try {
          parseSafetensors(bad);
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      }),
      { numRuns: 3000, seed: 2 },
    );
  });

  it.skipIf(!existsSync(golden))("reads every golden file", () => {
    const files = readdirSync(golden, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".safetensors"));
    expect(files.length).toBeGreaterThan(100);
    for (const name of files) expect(parseSafetensors(readFileSync(join(golden, name))).tensors.size, name).toBeGreaterThan(0);
  });
});
