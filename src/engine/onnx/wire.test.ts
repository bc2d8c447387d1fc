import { describe, expect, it } from "vitest";
import { defaultLimits } from "./limits.js";
import { wireLimits } from "./read.js";
import { decode, encode, encodeChunks } from "./wire.js";

const read = (bytes: Uint8Array) => decode(bytes, "Attribute", wireLimits(defaultLimits));

describe("encode", () => {
  it("writes what the format's examples are", () => {
    // protobuf.dev, Encoding: field 1 with the text "testing" is 0a 07 74 65 73 74 69 6e 67, field 1 with 150 is 08 96 01
    expect([...encode("Attribute", { name: "testing" })]).toEqual([0x0a, 7, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
    expect([...encode("Dimension", { dimValue: 150 })]).toEqual([0x08, 0x96, 0x01]);
    // -2 is its two's complement of 64 bits
    expect([...encode("Dimension", { dimValue: -2 })]).toEqual([0x08, 0xfe, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
  });

  it("keeps whole numbers of up to 53 bits, and brings larger ones to the ends of 64 bits", () => {
    const ints = [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32 + 5, 2 ** 53 - 1, -1, -(2 ** 31), 1 - 2 ** 53];
    expect(read(encode("Attribute", { ints })).ints).toEqual(ints);
    expect(read(encode("Attribute", { ints: [2 ** 63, Number.POSITIVE_INFINITY, -(2 ** 64)] })).ints).toEqual(
      [2 ** 63, 2 ** 63, -(2 ** 63)].map((v) => Number(BigInt.asIntN(64, BigInt(v) - (v > 0 ? 1n : 0n)))),
    );
  });

  it("keeps text of any script, numbers and packed fields", () => {
    const name = "größe 層 🜂".repeat(300);
    const t = {
      name: "t",
      dims: [2, 3],
      floatData: Float32Array.of(1.5, -0, 3e38),
      doubleData: Float64Array.of(Math.PI),
      int64Data: BigInt64Array.of(-1n, 2n ** 62n),
      uint64Data: BigUint64Array.of(2n ** 64n - 1n),
      int32Data: Int32Array.of(-7, 300),
    };
    expect(read(encode("Attribute", { name, f: 0.1, floats: [0.5, -2], t }))).toEqual({
      name,
      f: Math.fround(0.1),
      floats: [0.5, -2],
      t,
    });
  });

  it("keeps the order of many entries and of weights between them, which it does not copy", () => {
    const weights = Array.from({ length: 40 }, (_, i): Uint8Array => new Uint8Array(i % 3 === 0 ? 5000 + i : 900).fill(i));
    const { chunks, length } = encodeChunks("Attribute", { name: "n".repeat(70_000), strings: weights });
    expect(chunks.filter((c) => weights.includes(c))).toEqual(weights.filter((w) => w.length >= 4096));
    const bytes = Uint8Array.from(chunks.flatMap((c) => [...c]));
    expect(bytes.length).toBe(length);
    expect(read(bytes)).toEqual({ name: "n".repeat(70_000), strings: weights });
  });
});
