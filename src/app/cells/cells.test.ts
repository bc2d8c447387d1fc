import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cospgd } from "../../methods/attacks/catalogue/cospgd.js";
import { planFile } from "../attack/plan.js";
import { resolveSpec } from "../cli/actions/spec.js";
import { network, scratch, writeScenes } from "../cli/testing/scene.js";
import { noPlugins } from "../plugins/plugins.js";
import { type Cell, cellOf, needsOf, readCell } from "./cell.js";
import { CellProcess } from "./cell-process.js";
import { isDone, readFailure } from "./done.js";
import { Local } from "./local.js";
import { Planner, type RunSettings, usualSettings } from "./planner.js";
import { runCells } from "./run-cells.js";
import { Here } from "./runner.js";

const folder = scratch();
const model = network("segmentation");
const settings: RunSettings = { ...usualSettings, data: folder.path("scenes"), threads: 1, limit: 1 };
afterAll(folder.remove);

const cells: Cell[] = [];
async function cell(name: string, attack = cospgd({ steps: 1 }), more: Partial<RunSettings> = {}): Promise<Cell> {
  const planner = new Planner(noPlugins);
  const planned = await planner.model(model, resolveSpec(model, { task: "segmentation", range: "0..1" }));
  const plan = await planner.plan(attack, planned, { ...settings, ...more });
  const contents = await planner.contents(plan, { ...settings, ...more });
  return cellOf({ name, plan: planFile(plan), contents, audit: "skipped", assets: "inline" });
}
beforeAll(async () => {
  await writeScenes(folder.path("scenes"), 2);
  for (const epsilon of [1, 2, 3])
    cells.push(await cell(`cells/epsilon-${epsilon}`, cospgd({ steps: 1, epsilon: epsilon / 255 })));
});

it("a cell is a value: it comes back from JSON as it was, and only as it was", () => {
  const [first] = cells as [Cell];
  const json = JSON.parse(JSON.stringify(first));
  expect(readCell(json)).toEqual(first);
  expect(needsOf(first).map(({ named, kind }) => [named, kind])).toEqual([
    [model, "model"],
    [settings.data, "data"],
  ]);
  expect(() => readCell({ ...json, format: 2 })).toThrow(/planned by a newer Faultline/);
  expect(() => readCell({ ...json, format: 0 })).toThrow(/planned by an older Faultline/);
  expect(() => readCell({ ...json, version: "99.0.0" })).toThrow(/another Faultline \(99\.0\.0/);
  expect(() => readCell({ ...json, plan: { ...json.plan, seed: 1 } })).toThrow(/its key is not that of its content/);
  expect(() => readCell({ ...json, name: "cells/../../elsewhere" })).toThrow(/damaged \(name/);
  expect(() => readCell({ ...json, run: "rm -rf" })).toThrow(/no field "run"/);
  expect(() => readCell("cell")).toThrow("this is no cell of a sweep.");
});

it("the key is of contents: not of paths and names, but of every sample, parameter and thread", async () => {
  const key = async (...given: Parameters<typeof cell>) => (await cell(...given)).key;
  const own = await key("one");
  const [scenes, copy] = [folder.path("scenes"), folder.path("copy")];
  await writeScenes(copy, 2);
  expect(await key("two", undefined, { data: copy })).toBe(own);
  expect(await key("one", cospgd({ steps: 2 }))).not.toBe(own);
  expect(await key("one", undefined, { seed: 1 })).not.toBe(own);
  expect(await key("one", undefined, { threads: 2 })).not.toBe(own);
  expect(await key("one", undefined, { corruption: "fog:1" })).not.toBe(own);
  const label = readFileSync(join(scenes, "labels", "scene_0.png"));
  writeFileSync(join(copy, "labels", "scene_1.png"), label);
  writeFileSync(join(copy, "images", "scene_1.png"), readFileSync(join(scenes, "images", "scene_0.png")));
  expect(await key("one", undefined, { data: copy, limit: 2 })).not.toBe(await key("one", undefined, { limit: 2 }));
});

it("a worker that dies is replaced and its cell begun again; one that always dies is named, and the rest goes on", async () => {
  const root = folder.path("dying");
  const [always, once] = cells as [Cell, Cell];
  const deaths = new Map([
    [always.key, 2],
    [once.key, 1],
  ]);
  const start: typeof CellProcess.start = async (options) => {
    const worker = await CellProcess.start(options);
    const run = worker.run.bind(worker);
    return Object.assign(worker, {
      run: (given: Cell, ...rest: [string, Parameters<typeof run>[2]]) => {
        const left = deaths.get(given.key) ?? 0;
        deaths.set(given.key, left - 1);
        if (left > 0) worker.kill();
        return run(given, ...rest);
      },
    });
  };
  const said: string[] = [];
  const signal = new AbortController().signal;
  const local = new Local({ workers: 1, attempts: 2, start, say: (text) => said.push(text) });
  const end = await runCells(cells.slice(0, 2), { root, runner: local, signal });
  expect(end.failed.map((f) => f.cell.name)).toEqual([always.name]);
  expect(readFailure(join(root, always.name))).toMatchObject({ attempts: 2, sentence: expect.stringMatching(/SIGKILL/) });
  expect(isDone(join(root, once.name), once)).toBe(true);
  expect(said.at(-1)).toMatch(/begun again where it was \(2 of 2\)/);
  const again = await runCells(cells.slice(0, 2), { root, runner: new Here(noPlugins), signal });
  expect([again.failed, again.left, again.before]).toEqual([[], [], 1]);
  expect(readFailure(join(root, always.name))).toBeUndefined();
});

it("stopped, it keeps what is done and goes on from there", async () => {
  const root = folder.path("stopped");
  const stop = new AbortController();
  const tell = { done: () => stop.abort() };
  const first = await runCells(cells, { root, runner: new Here(noPlugins), signal: stop.signal, tell });
  expect(first.left.map((c) => c.name)).toEqual(cells.slice(1).map((c) => c.name));
  const second = await runCells(cells, { root, runner: new Here(noPlugins), signal: new AbortController().signal });
  expect([second.before, second.left]).toEqual([1, []]);
});

it("what fails is named and the rest goes on; what is known elsewhere is copied; where nothing comes of it nothing stays", async () => {
  const signal = new AbortController().signal;
  const gone = await cell("cells/gone");
  const table = { [model]: folder.path("nothing.onnx") };
  const runner = new Here(noPlugins, ({ name }) => (name === gone.name ? table : {}));
  const none = await runCells([gone], { root: folder.path("none"), runner, signal });
  expect(none.failed[0]!.sentence).toMatch(/nothing\.onnx/);
  expect(() => readFileSync(folder.path("none", "sweep.json"))).toThrow();
  const root = folder.path("cached");
  const end = await runCells([gone, ...cells], { root, runner, signal, caches: [folder.path("dying")] });
  expect([end.copied, end.failed.length, end.left.map((c) => c.name)]).toEqual([2, 1, [gone.name]]);
  const from = JSON.parse(readFileSync(join(root, cells[0]!.name, "cell.json"), "utf8")).from;
  expect(from).toBe(folder.path("dying"));
  rmSync(join(root, cells[2]!.name, "cell.json"));
  mkdirSync(folder.path("no-cells"));
  await expect(runCells(cells, { root, runner, signal, caches: [folder.path("no-cells")] })).rejects.toThrow(/holds no cells/);
});
