import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Tensor, tensor } from "../tensor/tensor.js";
import { defaultLimits } from "./limits.js";
import { ModelError } from "./model.js";
import { parseModel } from "./read.js";
import { readModel } from "./read-file.js";
import { node, smallModel } from "./testing/small-model.js";
import { encode } from "./wire.js";
import { writeModel } from "./write.js";
import { saveModel } from "./write-file.js";

const folder = mkdtempSync(join(tmpdir(), "faultline-read-"));
const home = join(folder, "home");
const path = join(home, "model.onnx");

beforeAll(() => {
  mkdirSync(join(home, "sub"), { recursive: true });
  const data = new Uint8Array(Float32Array.of(9, 1, 2).buffer);
  for (const place of [join(home, "w.bin"), join(home, "sub", "w.bin"), join(folder, "secret.bin")]) writeFileSync(place, data);
  symlinkSync(join(folder, "secret.bin"), join(home, "link.bin"));
  symlinkSync(join(home, "w.bin"), join(home, "inner.bin"));
  symlinkSync(folder, join(home, "up"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(location: string, offset = 4): void {
  const externalData = Object.entries({ location, offset: String(offset), length: "8" }).map(([key, value]) => ({ key, value }));
  const file = encode("Model", {
    irVersion: 8,
    opsetImport: [{ version: 18 }],
    graph: {
      initializer: [{ name: "w", dataType: 1, dims: [2], dataLocation: 1, externalData }],
      output: [{ name: "w", type: { tensorType: { elemType: 1 } } }],
    },
  });
  writeFileSync(path, file);
}

describe("external data", () => {
  it.each(["w.bin", "./w.bin", "sub/w.bin", "inner.bin"])("is read from %s", async (location) => {
    write(location);
    expect((await readModel(path)).graph.initializers.get("w")).toEqual(tensor("float32", [2], [1, 2]));
  });

  const outside = (location: string) =>
    `${path}: Initializer "w" points to external data at "${location}", outside the model's own folder; that is refused. Put the data beside the model.`;
  const leaving = (location: string) =>
    `${path}: its external data "${location}" leads outside the model's own folder, which is refused; put the file itself there.`;

  it.each([
    [join(folder, "secret.bin"), outside(join(folder, "secret.bin"))],
    ["../secret.bin", outside("../secret.bin")],
    ["sub/../../secret.bin", outside("sub/../../secret.bin")],
    ["link.bin", leaving("link.bin")],
    ["up/secret.bin", leaving("up/secret.bin")],
    ["none.bin", `${path}: its external data "none.bin" is missing; put that file beside the model.`],
    ["sub", `${path}: its external data "sub" is not a file.`],
  ])("at %s is refused", async (location, message) => {
    write(location);
    await expect(readModel(path)).rejects.toThrow(new ModelError(message));
  });

  it("that ends too soon is refused", async () => {
    write("w.bin", 8);
    await expect(readModel(path)).rejects.toThrow(
      new ModelError(`${path}: Initializer "w" needs 8 bytes at 8 of "w.bin", but 4 are there; the file is cut short.`),
    );
  });
});

describe("external data of many tensors", () => {
  const file = (tensors: readonly { name: string; type?: number; dims: number[]; offset: number; length: number }[]) =>
    encode("Model", {
      irVersion: 8,
      opsetImport: [{ version: 18 }],
      graph: {
        initializer: tensors.map(({ name, type = 1, dims, offset, length }) => ({
          name,
          dataType: type,
          dims,
          dataLocation: 1,
          externalData: Object.entries({ location: "w.bin", offset: String(offset), length: String(length) }).map(
            ([key, value]) => ({ key, value }),
          ),
        })),
        // All are outputs, for what nothing uses is not kept.
        output: tensors.map(({ name, type = 1 }) => ({ name, type: { tensorType: { elemType: type } } })),
      },
    });

  it("is charged once, and to its own limit", async () => {
    writeFileSync(path, file([{ name: "a", dims: [2], offset: 4, length: 8 }]));
    const limits = (externalBytes: number) => ({ ...defaultLimits, bytes: 200, externalBytes });
    expect((await readModel(path, { limits: limits(8) })).graph.initializers.get("a")!.data).toEqual(Float32Array.of(1, 2));
    await expect(readModel(path, { limits: limits(7) })).rejects.toThrow(/external data take more than the reading limit allows/);
  });

  it("has the length that its tensor takes where the file states 0", async () => {
    writeFileSync(path, file([{ name: "a", dims: [2], offset: 4, length: 0 }]));
    expect((await readModel(path)).graph.initializers.get("a")!.data).toEqual(Float32Array.of(1, 2));
  });

  it("is read once where tensors share it, and never more than there is", async () => {
    const [a, b] = [
      { name: "a", dims: [3], offset: 0, length: 12 },
      { name: "b", dims: [3], offset: 0, length: 12 },
    ];
    writeFileSync(path, file([a, b]));
    const { initializers } = (await readModel(path)).graph;
    expect(initializers.get("a")!.data.buffer).toBe(initializers.get("b")!.data.buffer);
    writeFileSync(path, file([a, { ...b, dims: [2], offset: 4, length: 8 }]));
    await expect(readModel(path)).rejects.toThrow(
      new ModelError(`${path}: more is asked of its external data "w.bin" than the file holds; it is damaged or hostile.`),
    );
  });

  it("may lie anywhere, and be of a type that is widened", async () => {
    const bits = new Uint8Array([...new Uint8Array(Float32Array.of(1.5, -2).buffer)]);
    writeFileSync(join(home, "w.bin"), Uint8Array.of(0, ...bits, bits[2]!, bits[3]!, 0x21));
    writeFileSync(
      path,
      file([
        { name: "a", dims: [2], offset: 1, length: 8 },
        { name: "b", type: 16, dims: [1], offset: 9, length: 2 },
        { name: "c", type: 22, dims: [2], offset: 11, length: 1 },
      ]),
    );
    const { initializers } = (await readModel(path)).graph;
    expect(initializers.get("a")).toEqual(tensor("float32", [2], [1.5, -2]));
    expect(initializers.get("b")).toEqual(tensor("float32", [1], [1.5]));
    expect(initializers.get("c")).toEqual({ ...tensor("int8", [2], [1, 2]), narrow: "int4" });
    writeFileSync(join(home, "w.bin"), new Uint8Array(Float32Array.of(9, 1, 2).buffer));
  });

  it("may be given as part of a larger array, which stays as it is", () => {
    const pool = Buffer.alloc(100);
    new Uint8Array(pool.buffer, pool.byteOffset).set(new Uint8Array(Float32Array.of(1, 2, 3).buffer), 32);
    pool[44] = 0xc0;
    pool[45] = 0x3f;
    const parts = {
      externalData: (_: string, offset: number, length: number) => pool.subarray(32 + offset, 32 + offset + length),
    };
    const model = parseModel(
      file([
        { name: "a", dims: [3], offset: 0, length: 12 },
        { name: "b", type: 16, dims: [1], offset: 12, length: 2 },
      ]),
      parts,
    );
    expect(model.graph.initializers.get("a")!.data).toEqual(Float32Array.of(1, 2, 3));
    expect(model.graph.initializers.get("b")!.data).toEqual(Float32Array.of(1.5));
  });
});

/** The layout of Hugging Face's cache: names in a snapshot are links to blobs, which are named by their content. */
describe("a model that is a link", () => {
  const cache = join(folder, "models--acme--vit");
  const [blobs, snapshot] = [join(cache, "blobs"), join(cache, "snapshots", "3f2a", "onnx")];
  const linked = join(snapshot, "model.onnx");
  beforeAll(() => {
    for (const place of [blobs, snapshot]) mkdirSync(place, { recursive: true });
    write("model.onnx_data");
    renameSync(path, join(blobs, "aaaa"));
    writeFileSync(join(blobs, "bbbb"), new Uint8Array(Float32Array.of(9, 1, 2).buffer));
    symlinkSync("../../../blobs/aaaa", linked);
  });
  const link = (target: string) => {
    rmSync(join(snapshot, "model.onnx_data"), { force: true });
    symlinkSync(target, join(snapshot, "model.onnx_data"));
  };
  const weights = async (file: string) => (await readModel(file)).graph.initializers.get("w");
  const right = tensor("float32", [2], [1, 2]);

  it("reads data that are a link into the same folder", async () => {
    link("../../../blobs/bbbb");
    expect(await weights(linked)).toEqual(right);
  });

  it("reads data beside the file that it leads to", async () => {
    const far = join(folder, "elsewhere");
    mkdirSync(far);
    write("w.bin");
    symlinkSync(path, join(far, "m.onnx"));
    expect(await weights(join(far, "m.onnx"))).toEqual(right);
    mkdirSync(join(far, "deep"));
    symlinkSync(join(far, "m.onnx"), join(far, "deep", "again.onnx"));
    expect(await weights(join(far, "deep", "again.onnx"))).toEqual(right);
  });

  it.each(["../../../../secret.bin", "../../../blobs/../../secret.bin", "../../../../home/w.bin"])(
    "refuses data that lead to %s",
    async (target) => {
      link(target);
      await expect(readModel(linked)).rejects.toThrow(/leads outside the model's own folder/);
    },
  );

  it("refuses what lies below the blobs, or leads out of them", async () => {
    mkdirSync(join(blobs, "deep"), { recursive: true });
    writeFileSync(join(blobs, "deep", "w"), new Uint8Array(12));
    link("../../../blobs/deep/w");
    await expect(readModel(linked)).rejects.toThrow(/leads outside the model's own folder/);
    symlinkSync(join(folder, "secret.bin"), join(blobs, "cccc"));
    link("../../../blobs/cccc");
    await expect(readModel(linked)).rejects.toThrow(/leads outside the model's own folder/);
  });

  it("says what is missing", async () => {
    link("../../../blobs/none");
    await expect(readModel(linked)).rejects.toThrow(
      new ModelError(`${linked}: its external data "model.onnx_data" is missing; put that file beside the model.`),
    );
  });
});

describe("a path", () => {
  it("that does not exist", async () => {
    await expect(readModel(join(home, "no.onnx"))).rejects.toThrow(
      new ModelError(`${join(home, "no.onnx")}: no such file; check the path.`),
    );
  });

  it("that is a folder", async () => {
    await expect(readModel(home)).rejects.toThrow(new ModelError(`${home}: this is a folder; give the .onnx file in it.`));
  });
});

describe("saving", () => {
  const model = smallModel({
    opset: 18,
    inputs: { x: ["float32", [2]] },
    outputs: { y: "float32" },
    nodes: [node("Relu", "x", "y")],
  });

  it("leaves the model and nothing else", async () => {
    const place = join(folder, "saved");
    mkdirSync(place);
    await saveModel(model, join(place, "m.onnx"));
    expect(readdirSync(place)).toEqual(["m.onnx"]);
    expect((await readModel(join(place, "m.onnx"))).graph.nodes).toHaveLength(1);
  });

  const random = tensor(
    "float32",
    [40, 50],
    Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i)),
  );
  const weighty = {
    ...model,
    graph: {
      ...model.graph,
      initializers: new Map<string, Tensor>([
        ["a", random],
        ["b", tensor("int8", [1025])],
        ["tied", { ...random }],
        ["small", tensor("float32", [2], [1, 2])],
      ]),
      nodes: [...model.graph.nodes, node("Identity", "a", "p"), node("Identity", "b", "q"), node("Identity", "tied", "r")],
    },
  };

  it("puts weights beside the file where they are too large for it, or on demand, and says so", async () => {
    const place = join(folder, "beside");
    mkdirSync(place);
    const file = join(place, "m.onnx");
    expect(await saveModel(weighty, file)).toEqual([file]);
    for (const options of [{ largest: 8000 }, { weights: "beside" }] as const) {
      expect(await saveModel(weighty, file, options)).toEqual([file, `${file}.data`]);
      expect(readdirSync(place).sort()).toEqual(["m.onnx", "m.onnx.data"]);
      // The second begins at a page, and what is the same array is written once.
      expect(statSync(`${file}.data`).size).toBe(2 * 4096 + 1025);
      expect(statSync(file).size).toBeLessThan(1000);
      expect((await readModel(file)).graph.initializers).toEqual((await readModel(await inside())).graph.initializers);
    }
  });
  async function inside(): Promise<string> {
    const file = join(folder, "inside.onnx");
    await saveModel(weighty, file);
    return file;
  }

  it("does not take another model's data for its own", async () => {
    const place = join(folder, "others");
    mkdirSync(place);
    const file = join(place, "m.onnx");
    writeFileSync(`${file}.data`, "precious");
    await expect(saveModel(weighty, file, { weights: "beside" })).rejects.toThrow(
      new ModelError(
        `${file}.data exists and is not the data of ${file}, which does not exist; choose another name, or remove that file.`,
      ),
    );
    expect(readFileSync(`${file}.data`, "utf8")).toBe("precious");
    expect(readdirSync(place)).toEqual(["m.onnx.data"]);
  });

  it("leaves nothing where it fails", async () => {
    const place = join(folder, "none");
    await expect(saveModel(weighty, join(place, "m.onnx"), { weights: "beside" })).rejects.toMatchObject({ code: "ENOENT" });
    expect(existsSync(place)).toBe(false);
  });

  it("in one array is refused above 2 GB", () => {
    // Three names for one gigabyte of zeros, which the system never has to provide.
    const big = tensor("uint8", [2 ** 30]);
    const initializers = new Map(["a", "b", "c"].map((name) => [name, big]));
    expect(() => writeModel({ ...model, graph: { ...model.graph, initializers } })).toThrow(
      new ModelError("The model holds 3.2 GB of weights, and an ONNX file holds at most 2 GB; write them as external data."),
    );
  });
});
