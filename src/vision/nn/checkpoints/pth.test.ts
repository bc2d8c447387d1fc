import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { parseSafetensors } from "../../../engine/tensor/safetensors.js";
import { type DataType, float32ToFloat16, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { CheckpointError } from "./error.js";
import { readPth } from "./pth.js";
import { writePth } from "./write-pth.js";

const golden = "../shared/golden/systems/networks";
const fixture = (name: string) => readFileSync(join("fixtures/checkpoints", name));
const encode = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** A checkpoint around a hand-written pickle (latin-1 text) with one storage, "0", of eight bytes. */
function archive(pickle: string, others: Record<string, Uint8Array> = {}): Uint8Array {
  return zipSync({ "a/data.pkl": encode(`\x80\x02${pickle}`), "a/data/0": new Uint8Array(8), ...others }, { level: 0 });
}

const u32 = (value: number) => String.fromCharCode(...new Uint8Array(Uint32Array.of(value).buffer));
const text = (value: string) => `X${u32(value.length)}${value}`;
const storage = (count: number, key = "0", type = "FloatStorage") =>
  `(${text("storage")}ctorch\n${type}\n${text(key)}${text("cpu")}J${u32(count)}tQ`;
const view = (offset: number, shape: number[], strides: number[], count = 2) => {
  const whole = (v: number) => `J${u32(v)}`;
  const tuple = (values: number[]) => `(${values.map(whole).join("")}t`;
  return `ctorch._utils\n_rebuild_tensor_v2\n(${storage(count)}${whole(offset)}${tuple(shape)}${tuple(strides)}\x89}tR`;
};
const state = (value: string) => `}${text("w")}${value}s.`;

describe("readPth", () => {
  const x = Array.from({ length: 12 }, (_, i) => i);
  const third = x.map((v) => Math.fround(v / 3));
  const expected: Record<string, Tensor> = {
    plain: tensor("float32", [3, 4], x),
    transposed: tensor("float32", [4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]),
    window: tensor("float32", [2, 2], [6, 7, 10, 11]),
    every_other: tensor("float32", [3, 2], [0, 2, 4, 6, 8, 10]),
    expanded: tensor("float32", [2, 3], [1, 1, 1, 1, 1, 1]),
    parameter: tensor(
      "float32",
      [3, 4],
      x.map((v) => v + 0.5),
    ),
    half: tensor(
      "float16",
      [4, 3],
      Uint16Array.from([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], (v) => float32ToFloat16(third[v]!)),
    ),
    double: tensor(
      "float64",
      [3, 4],
      x.map((v) => v / 3),
    ),
    long: tensor("int64", [2], [2n ** 62n, -1n]),
    int: tensor("int32", [2], [-(2 ** 31), 5]),
    short: tensor("int16", [1], [-300]),
    char: tensor("int8", [2], [-128, 127]),
    byte: tensor("uint8", [2], [0, 255]),
    bool: tensor("bool", [2], [1, 0]),
    scalar: tensor("int64", [], [3n]),
    empty: tensor("float32", [0, 3]),
    größe: tensor("float32", [1], [1.5]),
  };

  it.each(["mixed.pth", "mixed_protocol4.pth"])("reads what PyTorch wrote: %s", (name) => {
    const found = readPth(fixture(name), { stripPrefix: "module." });
    expect([...found.keys()]).toEqual([...Object.keys(expected).slice(0, 7), "bfloat16", ...Object.keys(expected).slice(7)]);
    for (const [key, t] of Object.entries(expected)) expect(found.get(key), key).toEqual(t);
    const bfloat16 = found.get("bfloat16")!;
    expect(bfloat16.type).toBe("float32");
    for (const [i, v] of third.entries()) {
      expect(Math.abs((bfloat16.data[i] as number) - v)).toBeLessThanOrEqual(v * 2 ** -8);
      expect(Number(new Uint32Array(bfloat16.data.buffer)[i]) & 0xffff).toBe(0);
    }
  });

  it("asks for a key when there are several state dicts, and obeys it", () => {
    expect(() => readPth(fixture("two_states.pth"))).toThrow(/several state dicts, "params", "params_ema"; say which/);
    expect(readPth(fixture("two_states.pth"), { key: "params_ema" }).get("w")!.data[0]).toBe(1);
    expect(() => readPth(fixture("two_states.pth"), { key: "ema" })).toThrow(
      /under "ema"; its top-level keys are "params", "params_ema"/,
    );
    expect(() => readPth(fixture("two_states.pth"), { key: "params", stripPrefix: "net." })).toThrow(/begins with "net\."/);
    const nested = archive(`}${text("a")}}${text("b")}${state(view(0, [2], [1])).slice(0, -1)}ss.`);
    expect(readPth(nested, { key: ["a", "b"] }).get("w")).toEqual(tensor("float32", [2]));
    expect(() => readPth(nested)).toThrow(/no state dict; its top-level keys are "a"/);
  });

  it("reads the container of PyTorch before 1.6 as the one since", () => {
    const [old, since] = [readPth(fixture("legacy.pth")), readPth(fixture("mixed.pth"))];
    expect([...old.keys()]).toEqual([...since.keys()]);
    for (const [name, t] of since) expect(old.get(name), name).toEqual(t);
  });

  it("finds the directory and the sizes in zip64 records", () => {
    const far = Buffer.from(fixture("mixed.pth"));
    const end = far.lastIndexOf("PK\x05\x06");
    far.writeUInt16LE(0xffff, end + 10);
    far.writeUInt32LE(0xffffffff, end + 16);
    expect([...readPth(far)]).toEqual([...readPth(fixture("mixed.pth"))]);

    const pickle = encode(`\x80\x02${state(view(0, [2], [1]))}`);
    const sizes = new Uint8Array(BigUint64Array.of(BigInt(pickle.length), BigInt(pickle.length), 0n).buffer);
    const wide = Buffer.from(
      zipSync({ "a/data.pkl": [pickle, { extra: { 1: sizes } }], "a/data/0": new Uint8Array(8) }, { level: 0 }),
    );
    const central = wide.indexOf("PK\x01\x02");
    for (const field of [20, 24, 42]) wide.writeUInt32LE(0xffffffff, central + field);
    expect(readPth(wide).get("w")).toEqual(tensor("float32", [2]));
  });

  it.each<[string, () => Uint8Array, RegExp]>([
    ["the old format, cut", () => fixture("legacy.pth").subarray(0, -5), /but not as many values for it/],
    ["the old format, cut in its pickle", () => fixture("legacy.pth").subarray(0, 200), /damaged|ends early|end/],
    ["a whole module", () => fixture("module_object.pth"), /"torch\.nn\.modules\.linear\.Linear".*save model\.state_dict\(\)/],
    ["TorchScript", () => fixture("script.pt"), /TorchScript/],
    ["the tar format", () => Uint8Array.from({ length: 600 }, (_, i) => "ustar".charCodeAt(i - 257) || 0), /tar format/],
    ["something else", () => encode("hello"), /not a PyTorch checkpoint/],
    ["an empty file", () => new Uint8Array(), /not a PyTorch checkpoint/],
    ["a cut file", () => fixture("mixed.pth").subarray(0, -700), /its end is missing/],
    ["a zip of something else", () => zipSync({ "a.txt": encode("a") }, { level: 0 }), /no data\.pkl/],
    ["a compressed zip", () => zipSync({ "a/data.pkl": new Uint8Array(999) }, { level: 9 }), /is compressed/],
    ["a big-endian file", () => archive(state(view(0, [2], [1])), { "a/byteorder": encode("big") }), /big-endian/],
    ["a call of the system", () => archive(`cos\nsystem\n(${text("true")}tR.`), /"os\.system".*never run/],
    ["a hidden call", () => archive("c__builtin__\neval\n0}."), /"__builtin__\.eval"/],
    ["an inherited name as a global", () => archive("cconstructor\nname\n."), /"constructor\.name"/],
    ["an unknown storage", () => archive(state(storage(1, "0", "ComplexFloatStorage"))), /"torch\.ComplexFloatStorage"/],
    ["a storage that is a device", () => archive(state(storage(1, "0", "device"))), /storage of type "torch\.device"/],
    ["a storage without data", () => archive(state(storage(1, "7"))), /storage "7", but no data/],
    ["a storage that claims too much", () => archive(state(view(0, [3], [1], 3))), /3 float32 values, but only 8 bytes/],
    ["a view past its storage", () => archive(state(view(1, [2], [1]))), /reaches value 2 of a storage of 2/],
    ["a stride past its storage", () => archive(state(view(0, [2], [2]))), /reaches value 2/],
    ["a negative stride", () => archive(state(view(1, [2], [2 ** 32 - 1]))), /not whole numbers/],
    ["shape and strides of different length", () => archive(state(view(0, [2, 1], [1]))), /tensor of 2 dimensions/],
    ["a huge expanded view", () => archive(state(view(0, [2 ** 30, 2 ** 20], [0, 0]))), /more than 16 times the file's size/],
    ["an impossible shape", () => archive(state(view(0, [...Array(40).fill(2 ** 30), 0], Array(41).fill(0)))), /too large/],
    ["no tensors", () => archive(`}${text("epoch")}K\x03s.`), /no state dict; its top-level keys are "epoch"/],
    ["a pickle that ends early", () => archive("}"), /but it ends before/],
    ["a text longer than the file", () => archive(`X${u32(2 ** 32 - 1)}abc`), /4294967295 bytes at byte/],
    ["an unknown opcode", () => archive("\xff."), /opcode 0xff at byte 2/],
    ["protocol 0", () => archive("\x80\x00N."), /protocol 0/],
    ["an empty stack", () => archive("."), /empty stack/],
    ["a missing mark", () => archive("t."), /lacks its mark/],
    ["a missing memo", () => archive("h\x05."), /memo 5/],
    ["a call of a number", () => archive("K\x01)R."), /no function/],
    ["items for a number", () => archive("K\x01K\x02K\x03s."), /no dict/],
    ["a million lists", () => archive(`${"]".repeat(1_100_000)}.`), /more than 1000000 values/],
  ])("refuses %s", (_, make, message) => {
    const bytes = make();
    expect(() => readPth(bytes)).toThrow(CheckpointError);
    expect(() => readPth(bytes)).toThrow(message);
  });

  it("survives doubling memos and deep nesting without unfolding them", () => {
    // d1 = {a: d0, b: d0}, d2 = {a: d1, b: d1}, ... would be 2^200 dicts.
    let bomb = "}q\x00";
    for (let i = 1; i <= 200; i++) {
      const last = `h${String.fromCharCode(i - 1)}`;
      bomb += `}(${text("a")}${last}${text("b")}${last}uq${String.fromCharCode(i)}`;
    }
    expect(() => readPth(archive(`${bomb}.`))).toThrow(/no state dict/);
    expect(() => readPth(archive(`${"]".repeat(200_000)}${"a".repeat(199_999)}.`))).toThrow(/no state dict/);
  });

  it("meets every damaged file with its own error, within bounds of time and memory", () => {
    const good = fixture("mixed.pth");
    const pickleAt = good.indexOf("\x80\x02}");
    const place = fc.oneof(fc.nat(good.length - 1), fc.integer({ min: pickleAt, max: pickleAt + 2500 }));
    let tried = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 3 }), (changes) => {
        const bad = Uint8Array.from(good);
        for (const [at, value] of changes) bad[at] = value;
        tried++;
        try {
          readPth(bad);
        } catch (error) {
          if (!(error instanceof CheckpointError)) throw error;
          expect(error.message).toMatch(/\.$/);
        }
      }),
      { numRuns: 1e6, seed: 3, interruptAfterTimeLimit: 4000, markInterruptAsFailure: false },
    );
    expect(tried).toBeGreaterThan(500);
  });

  it.skipIf(!existsSync(golden))("agrees bit for bit with the safetensors beside each golden checkpoint", () => {
    const folders = readdirSync(golden).filter((name) => existsSync(join(golden, name, "weights.pth")));
    expect(folders.length).toBeGreaterThan(0);
    for (const folder of folders) {
      const found = readPth(readFileSync(join(golden, folder, "weights.pth")));
      const { tensors } = parseSafetensors(readFileSync(join(golden, folder, "weights.safetensors")));
      expect([...found.keys()].sort()).toEqual([...tensors.keys()].sort());
      for (const [name, t] of tensors) {
        const other = found.get(name)!;
        expect([other.type, other.shape], name).toEqual([t.type, t.shape]);
        expect(Buffer.compare(Buffer.from(other.data.buffer), Buffer.from(t.data.buffer)), name).toBe(0);
      }
    }
  });
});

describe("writePth", () => {
  const types: DataType[] = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"];
  const tensors = new Map<string, Tensor>([
    ...types.map((type, i): [string, Tensor] => [`layer.${type}`, tensor(type, [2, 1, i], Array(2 * i).fill(1))]),
    ["scalar", tensor("float32", [], [Math.PI])],
    [
      "größe",
      tensor(
        "float32",
        [300, 70],
        Float32Array.from({ length: 21000 }, (_, i) => Math.sin(i)),
      ),
    ],
  ]);

  it.each([undefined, "params"])("is read back, with top key %s", (topKey) => {
    const bytes = writePth(tensors, topKey);
    expect([...readPth(bytes)]).toEqual([...tensors]);
    expect(writePth(tensors, topKey)).toEqual(bytes);
  });

  it("aligns every storage to 64 bytes", () => {
    const bytes = Buffer.from(writePth(tensors));
    for (let i = 0; i < tensors.size; i++) {
      const header = bytes.indexOf(`archive/data/${i}FB`) - 30;
      expect(header).toBeGreaterThanOrEqual(0);
      expect((header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28)) % 64).toBe(0);
    }
  });

  it("refuses types that PyTorch lacks", () => {
    expect(() => writePth(new Map([["w", tensor("uint32", [1])]]))).toThrow(/"w" is uint32\[1\].*safetensors/);
  });

  const python = ["python3", "/usr/bin/python3"].find((command) => {
    try {
      return execFileSync(command, ["-c", "import importlib.util as u; print(u.find_spec('torch') is not None)"], {
        encoding: "utf8",
      }).includes("True");
    } catch {
      return false;
    }
  });

  it.skipIf(!python)("is read by PyTorch", () => {
    const folder = mkdtempSync(join(tmpdir(), "faultline-pth-"));
    try {
      const path = join(folder, "weights.pth");
      const script = `
import json, sys, torch
state = torch.load(sys.argv[1], map_location="cpu")["params"]
print(json.dumps({k: [str(t.dtype), list(t.shape), t.double().sum().item(), t.is_contiguous()] for k, t in state.items()}))
torch.save({"params": state}, sys.argv[1])`;
      const bytes = writePth(tensors, "params");
      writeFileSync(path, bytes);
      const seen = JSON.parse(execFileSync(python!, ["-c", script, path], { encoding: "utf8" }));
      expect(Object.keys(seen)).toEqual([...tensors.keys()]);
      expect(seen["layer.float16"].slice(0, 2)).toEqual(["torch.float16", [2, 1, 2]]);
      expect(seen["layer.bool"]).toEqual(["torch.bool", [2, 1, 8], 16, true]);
      // What PyTorch loaded and saved again holds the same bits.
      expect([...readPth(readFileSync(path))]).toEqual([...tensors]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
