import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resourceUsage } from "node:process";
import { describe, expect, it } from "vitest";
import { conversionCases } from "../operators/forms/cases.js";
import { Random } from "../tensor/random.js";
import { defaultLimits, type Limits } from "./limits.js";
import { ModelError } from "./model.js";
import { parseModel } from "./read.js";
import type { Messages } from "./schema.js";
import { smallModel } from "./testing/small-model.js";
import { decode, encode } from "./wire.js";
import { writeModel } from "./write.js";

/**
 * Changes sound files at random, by bytes and by fields. Whatever comes out is read, or refused with one sentence, soon and within the
 * limit of memory; what is read can be written and read again.
 *
 * By hand: FAULTLINE_FUZZ_SECONDS=3600 FAULTLINE_FUZZ_SEED=7 npx vitest run src/engine/onnx/fuzz.test.ts
 */
const seconds = Number(process.env.FAULTLINE_FUZZ_SECONDS ?? 8);
const seed = process.env.FAULTLINE_FUZZ_SEED ?? String(Date.now());

const limits: Limits = { ...defaultLimits, bytes: 64 * 2 ** 20, entries: 200_000, nodes: 20_000 };
/** Peak memory may grow by the limits, the heap of their entries and the collector's slack. */
const allowedGrowth = 768 * 2 ** 20;
const slowest = 3000; // ms, on a machine shared with others

type Bytes = (bytes: Uint8Array, random: Random) => Uint8Array;

const byteMutations: Record<string, Bytes> = {
  truncate: (bytes, random) => bytes.slice(0, random.integer(bytes.length)),
  "flip bits": (bytes, random) => {
    const result = bytes.slice();
    for (let n = 1 + random.integer(8); n > 0; n--) result[random.integer(result.length)]! ^= 1 << random.integer(8);
    return result;
  },
  "extreme bytes": (bytes, random) => {
    const result = bytes.slice();
    const start = random.integer(result.length);
    result.fill([0, 0x7f, 0x80, 0xff][random.integer(4)]!, start, start + 1 + random.integer(10));
    return result;
  },
  "cut out": (bytes, random) => {
    const start = random.integer(bytes.length);
    return joined(bytes.subarray(0, start), bytes.subarray(start + 1 + random.integer(40)));
  },
  repeat: (bytes, random) => {
    const start = random.integer(bytes.length);
    const end = start + 1 + random.integer(200);
    return joined(bytes.subarray(0, end), bytes.subarray(start));
  },
};

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const result = new Uint8Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}

const extremes = [0, 1, -1, 2, 7, 255, 65536, 2 ** 31, 2 ** 40, 2 ** 53, 2 ** 63, -(2 ** 63)];

/** Changes one field of the decoded file: a number to an extreme, a name to another one, a list by copying or dropping an element. */
function changeField(bytes: Uint8Array, random: Random): Uint8Array {
  const model = decode(bytes, "Model", { messages: 1e6, depth: 64, unpackedBytes: 2 ** 28 });
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const names: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      places.push({ holder: value as Record<string, unknown>, key });
      if (typeof inner === "string") names.push(inner);
      visit(inner);
    }
  };
  visit(model);
  for (let n = 1 + random.integer(3); n > 0; n--) {
    const { holder, key } = places[random.integer(places.length)]!;
    holder[key] = changed(holder[key], names, random);
  }
  return encode("Model", model);
}

function changed(value: unknown, names: readonly string[], random: Random): unknown {
  if (typeof value === "number") return extremes[random.integer(extremes.length)];
  if (typeof value === "string") return random.integer(4) === 0 ? "" : names[random.integer(names.length)];
  if (value instanceof Uint8Array) return value.subarray(0, random.integer(value.length + 1));
  if (!Array.isArray(value) || value.length === 0) return value;
  const at = random.integer(value.length);
  const copy = random.integer(value.length + 1);
  return random.integer(2) === 0 ? value.toSpliced(at, 1) : value.toSpliced(copy, 0, value[at]);
}

function sources(): Uint8Array[] {
  const own = conversionCases.map((c) => writeModel(smallModel(c)));
  const golden = new URL("../../../../shared/golden/gradients/", import.meta.url);
  if (!existsSync(golden)) return [...own, withFunctions];
  const files = readdirSync(golden).filter((name) => name.endsWith(".onnx"));
  const small = files.map((name) => new Uint8Array(readFileSync(new URL(name, golden)))).filter(({ length }) => length < 100_000);
  return [...own, withFunctions, ...small];
}

const tensorType = { tensorType: { elemType: 1, shape: { dim: [{ dimParam: "n" }] } } };
const inner: Messages["Function"][] = [
  { name: "f", domain: "own", input: ["a"], output: ["b"], node: [{ opType: "Relu", input: ["a"], output: ["b"] }] },
  {
    name: "g",
    domain: "own",
    input: ["a"],
    output: ["b"],
    attribute: ["alpha"],
    node: [
      { opType: "LeakyRelu", input: ["a"], output: ["t"], attribute: [{ name: "alpha", refAttrName: "alpha", type: 1 }] },
      { opType: "f", domain: "own", input: ["t"], output: ["b"] },
    ],
  },
];
const withFunctions = encode("Model", {
  irVersion: 8,
  opsetImport: [{ version: 18 }, { domain: "own", version: 1 }],
  functions: inner,
  graph: {
    name: "g",
    input: [{ name: "x", type: tensorType }],
    output: [{ name: "y", type: tensorType }],
    sparseInitializer: [
      {
        values: { name: "s", dataType: 1, dims: [1], rawData: new Uint8Array(4) },
        indices: { dataType: 7, dims: [1], rawData: new Uint8Array(8) },
        dims: [4],
      },
    ],
    node: [
      { opType: "g", domain: "own", input: ["x"], output: ["m"], attribute: [{ name: "alpha", type: 1, f: 0.5 }] },
      { opType: "g", domain: "own", input: ["m"], output: ["n"], attribute: [{ name: "alpha", type: 1, f: 0.1 }] },
      { opType: "Add", input: ["n", "s"], output: ["y"] },
    ],
  },
});

describe("damaged files", () => {
  it(`are read or refused in one sentence (${seconds} s, seed ${seed})`, { timeout: seconds * 1000 + 30_000 }, () => {
    const random = new Random(seed, "fuzz");
    const files = sources();
    for (const file of files) parseModel(file);
    const before = resourceUsage().maxRSS;
    const end = Date.now() + seconds * 1000;
    const count = { read: 0, refused: 0 };
    for (let i = 0; Date.now() < end; i++) {
      const file = files[random.integer(files.length)]!;
      const kinds = [
        ...Object.entries(byteMutations),
        ...Object.keys(byteMutations).map(() => ["change a field", changeField] as const),
      ];
      const [kind, mutate] = kinds[random.integer(kinds.length)]!;
      const what = `seed ${seed}, file ${i}: ${kind}`;
      count[attempt(mutate(file, random), what)]++;
    }
    expect(count.read, "files read").toBeGreaterThan(0);
    expect(count.refused, "files refused").toBeGreaterThan(0);
    // maxRSS is in kilobytes.
    expect((resourceUsage().maxRSS - before) * 1024, "growth of peak memory").toBeLessThan(allowedGrowth);
  });
});

function attempt(bytes: Uint8Array, what: string): "read" | "refused" {
  const start = performance.now();
  try {
    const model = parseModel(bytes, { limits });
    const again = parseModel(writeModel(model), { limits });
    const once = writeModel(again);
    expect(writeModel(parseModel(once, { limits })), `${what}: canonical after two readings`).toEqual(once);
    return "read";
  } catch (error) {
    if (!(error instanceof ModelError)) throw new Error(`${what} ended in ${error}`, { cause: error });
    expect(error.message, what).toMatch(/^.{10,800}\.$/);
    return "refused";
  } finally {
    expect(performance.now() - start, `${what}: milliseconds`).toBeLessThan(slowest);
  }
}
