import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type Tensor, tensor } from "./tensor.js";
import { readTensors, writeTensors } from "./tensor-files.js";

const folder = mkdtempSync(join(tmpdir(), "faultline-tensors-"));
afterAll(() => rmSync(folder, { recursive: true }));
const two = new Map<string, Tensor>([
  ["images", tensor("float32", [1, 2], [0, 0.5])],
  ["labels", tensor("int64", [1], [7])],
]);

it.each(["two.safetensors", "two.npz"])("%s comes back", async (name) => {
  await writeTensors(join(folder, name), two);
  expect(await readTensors(join(folder, name))).toEqual(two);
});

it("an array of .npy bears the file's name", async () => {
  const path = join(folder, "labels.npy");
  await writeTensors(path, new Map([["anything", tensor("int64", [1], [7])]]));
  expect(await readTensors(path)).toEqual(new Map([["labels", tensor("int64", [1], [7])]]));
});

it("says in one sentence what is wrong, and where", async () => {
  await expect(writeTensors(join(folder, "two.npy"), two)).rejects.toThrow(
    /two\.npy: a \.npy file holds one array, not 2; write/,
  );
  await expect(writeTensors(join(folder, "two.pt"), two)).rejects.toThrow(/two\.pt: tensors are written to/);
  await expect(readTensors(join(folder, "none.npy"))).rejects.toThrow(/none\.npy: no such file; check the path\.$/);
  for (const name of ["cut.npy", "cut.npz", "cut.safetensors", "cut.pt"]) {
    writeFileSync(join(folder, name), "cut");
    await expect(readTensors(join(folder, name)), name).rejects.toThrow(new RegExp(`${name}.*\\.$`));
  }
});
