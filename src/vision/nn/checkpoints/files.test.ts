import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tensor } from "../../../engine/tensor/tensor.js";
import { loadCheckpoint, saveCheckpoint } from "./files.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-checkpoint-"));
});
afterAll(() => rm(folder, { recursive: true }));

const state = new Map([["module.weight", tensor("float32", [2], [1, 2])]]);

describe("checkpoint files", () => {
  it.each(["a.pth", "b.pt", "c.CKPT", "d.safetensors"])("saves and loads %s", async (name) => {
    const path = join(folder, name);
    await saveCheckpoint(path, state);
    expect(await loadCheckpoint(path)).toEqual(state);
    expect([...(await loadCheckpoint(path, { stripPrefix: "module." })).keys()]).toEqual(["weight"]);
    expect(await readdir(folder)).toContain(name);
    expect((await readdir(folder)).filter((n) => n.endsWith(".partial"))).toEqual([]);
  });

  it("keeps a top-level key in PyTorch files only", async () => {
    const path = join(folder, "keyed.pth");
    await saveCheckpoint(path, state, { key: "params" });
    expect(await loadCheckpoint(path, { key: "params" })).toEqual(state);
    await expect(saveCheckpoint(join(folder, "x.safetensors"), state, { key: "params" })).rejects.toThrow(/leave the key out/);
    await saveCheckpoint(join(folder, "y.safetensors"), state);
    await expect(loadCheckpoint(join(folder, "y.safetensors"), { key: "params" })).rejects.toThrow(/leave the key out/);
  });

  it("names the file in every complaint", async () => {
    await expect(loadCheckpoint(join(folder, "none.pth"))).rejects.toThrow(/none\.pth: no such file/);
    await expect(loadCheckpoint("weights.bin")).rejects.toThrow(/weights\.bin: a checkpoint's name ends in/);
    await writeFile(join(folder, "bad.safetensors"), "hello, this is text");
    await expect(loadCheckpoint(join(folder, "bad.safetensors"))).rejects.toThrow(/bad\.safetensors: The safetensors header/);
  });
});
