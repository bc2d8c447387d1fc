import { appendFileSync, copyFileSync, cpSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultline, network, scratch, writeScenes } from "./testing/scene.js";

// A run is its contents: it goes on whatever way its model and data are spelt, and not where they are others.

const folder = scratch();
const [model, data] = [folder.path("net.onnx"), folder.path("data")];
const commands = {
  attack: ["--steps", "1", "--no-audit"],
  criticality: ["--trials", "1", "--batch", "1"],
} as const;
type Name = keyof typeof commands;
const run = (name: Name, path: string, from: string) =>
  faultline(name, path, "--task", "segmentation", "--data", from, "--out", folder.path(name), ...commands[name]);

beforeAll(async () => {
  await writeScenes(data, 2);
  copyFileSync(network("segmentation"), model);
  copyFileSync(model, folder.path("copy.onnx"));
  symlinkSync(model, folder.path("link.onnx"));
  symlinkSync(data, folder.path("linked"));
  cpSync(data, folder.path("copied"), { recursive: true });
});
afterAll(() => folder.remove());

describe.each(Object.keys(commands) as Name[])("a run of faultline %s", (name) => {
  beforeAll(async () => expect((await run(name, model, data)).code).toBe(0));

  it.each([
    ["relative paths", () => [relative(process.cwd(), model), relative(process.cwd(), data)]],
    ["paths with detours", () => [`${folder.path("data")}/../net.onnx`, `${data}/`]],
    ["symbolic links", () => [folder.path("link.onnx"), folder.path("linked")]],
    ["copies", () => [folder.path("copy.onnx"), folder.path("copied")]],
  ] as const)("goes on by %s", async (_, spelt) => {
    const [path, from] = spelt() as [string, string];
    const { code, err } = await run(name, path, from);
    expect([code, err]).toEqual([0, expect.stringMatching(/resuming .*: (\d+) of \1 /)]);
  });

  it("does not go on with other bytes", async () => {
    const other = folder.path("other.onnx");
    copyFileSync(model, other);
    // An unknown field of the file: the same model, another file.
    appendFileSync(other, Uint8Array.of(0xa2, 0x06, 0x00));
    expect((await run(name, other, data)).err).toMatch(/holds a run with other settings \(model holds something else now\)/);
    renameSync(folder.path("copied/images/scene_1.png"), folder.path("copied/images/scene_9.png"));
    renameSync(folder.path("copied/labels/scene_1.png"), folder.path("copied/labels/scene_9.png"));
    expect((await run(name, model, folder.path("copied"))).err).toMatch(/holds a run with other settings/);
    rmSync(folder.path("copied"), { recursive: true });
    cpSync(data, folder.path("copied"), { recursive: true });
  });
});
