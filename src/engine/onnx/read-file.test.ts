import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.js";
import { ModelError } from "./model.js";
import { readModel } from "./read-file.js";
import { node, smallModel } from "./testing/small-model.js";
import { encode } from "./wire.js";
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

  it("refuses more than 2 GB before it writes anything", async () => {
    // Four names for one gigabyte of zeros, which the system never has to provide.
    const big = tensor("uint8", [2 ** 30]);
    const initializers = new Map(["a", "b", "c"].map((name) => [name, big]));
    const heavy = { ...model, graph: { ...model.graph, initializers } };
    await expect(saveModel(heavy, join(folder, "big.onnx"))).rejects.toThrow(
      new ModelError("The model holds 3.2 GB of weights, and an ONNX file holds at most 2 GB; use a smaller variant."),
    );
    expect(readdirSync(folder).filter((name) => name.startsWith("big") || name.startsWith(".big"))).toEqual([]);
  });
});
