import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { violations } from "./layers.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "layers-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function project(files: Record<string, string>): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return violations(root);
}

it("accepts imports that point down", () => {
  expect(
    project({
      "src/app/a.ts": 'import { m } from "../methods/attacks/m.js";\nimport fs from "node:fs";\n',
      "src/methods/attacks/m.ts": 'import type { v } from "../../vision/v.js";\n',
      "src/methods/training/t.ts": 'import { m } from "../attacks/m.js";\n',
      "src/vision/v.ts": 'export * from "../engine/e.js";\n/**\n * import { a } from "../app/a.js";\n */\n',
      "src/engine/e.ts": "export const e = 1;\n",
    }),
  ).toEqual([]);
});

it("finds an import against the arrow, types and several lines included", () => {
  const found = project({
    "src/app/a.ts": "",
    "src/vision/v.ts": "",
    "src/engine/e.ts": 'import {\n  a,\n  b,\n} from "../vision/v.js";\nimport type { c } from "../app/a.js";\n',
  });
  expect(found).toEqual([
    expect.stringContaining("src/engine/e.ts imports ../vision/v.js: engine must not know vision"),
    expect.stringContaining("src/engine/e.ts imports ../app/a.js: engine must not know app"),
  ]);
});

it("finds a method that knows another, and a studio that knows app", () => {
  const found = project({
    "src/methods/attacks/a.ts": 'import { t } from "../training/t.js";\n',
    "src/methods/training/t.ts": "",
    "src/app/a.ts": "",
    "studio/main.tsx": 'import "../src/app/a.js";\n',
  });
  expect(found).toEqual([
    expect.stringContaining("method attacks must not know method training"),
    "studio/main.tsx imports ../src/app/a.js: the studio never imports app.",
  ]);
});

it("finds an operator that imports an index", () => {
  const found = project({
    "src/engine/operators/index.ts": 'export * from "./layout/index.js";\n',
    "src/engine/operators/layout/index.ts": 'export * from "./pad.js";\n',
    "src/engine/operators/layout/pad.ts": 'import { add } from "../index.js";\n',
  });
  expect(found).toEqual([expect.stringMatching(/^src\/engine\/operators\/layout\/pad\.ts imports \.\.\/index\.js: an operator/)]);
});

it("finds what needs Node behind a browser entry, dynamic imports and worker scripts included", () => {
  const found = project({
    "src/index.web.ts": 'export * from "./engine/a.js";\nimport type { S } from "sharp";\n',
    "src/engine/a.ts": 'const w = new Worker(new URL("./w.js", import.meta.url));\n',
    "src/engine/w.ts": '  await import("./n.js");\n',
    "src/engine/n.ts": 'import { readFile } from "node:fs/promises";\n',
    "src/engine/other.ts": 'import "node:fs";\n',
  });
  expect(found).toEqual([
    "src/index.web.ts -> src/engine/a.ts -> src/engine/w.ts -> src/engine/n.ts imports node:fs/promises: the browser has no such module.",
  ]);
});

it("finds what help would wait for, and lets what a command loads when it runs be", () => {
  const found = project({
    "src/app/cli/main.ts": 'import { Command } from "commander";\nimport { a } from "./a.js";\n',
    "src/app/cli/a.ts":
      'import sharp from "sharp";\nimport type { E } from "../../engine/e.js";\n  const run = await import("./run.js");\n',
    "src/app/cli/run.ts": 'import { z } from "zod";\nimport { e } from "../../engine/e.js";\n',
    "src/engine/e.ts": "",
  });
  expect(found).toEqual([
    "src/app/cli/main.ts -> src/app/cli/a.ts imports sharp: help waits for it; load it where it is used, with import().",
  ]);
});

it("finds what the help of the attacks would wait for", () => {
  const found = project({
    "src/app/cli/attack-flags.ts": 'import { z } from "zod";\nimport { a } from "../../methods/attacks/a.js";\n',
    "src/methods/attacks/a.ts":
      'import type { Engine } from "../../engine/runtime/engine.js";\n  const { run } = await import("../../engine/graph/graph.js");\n',
    "src/engine/runtime/engine.ts": "",
    "src/engine/graph/graph.ts": "",
  });
  expect(found).toEqual([]);
  const heavy = project({
    "src/app/cli/attack-flags.ts": 'import { conv } from "../../engine/operators/conv.js";\n',
    "src/engine/operators/conv.ts": "",
  });
  expect(heavy).toEqual([expect.stringContaining("conv.js: help waits for it")]);
});

it("finds code that asks for an attack by its name", () => {
  const found = project({
    "src/methods/attacks/catalogue/pgd.ts": 'export const pgd = defineAttack({\n  name: "pgd",\n});\n',
    "src/app/a.ts": 'export const odd = (name: string) => name === "pgd" || ["pgd"].includes(name);\n',
    "src/app/b.ts": '// name === "pgd"\nexport const usual = { attack: "pgd" };\n',
  });
  expect(found).toEqual([expect.stringMatching(/^src\/app\/a\.ts:1 asks for the attack "pgd" by its name/)]);
});

it("finds code that asks for a task by its name, and lets definitions, layouts and comments be", () => {
  const found = project({
    "src/vision/tasks/names.ts": 'export const taskNames = ["classification", "flow"] as const;\n',
    "src/vision/tasks/flow.ts": 'export const flow = { name: "flow" };\n',
    "src/vision/data/node/sintel.ts": 'export const sintel = { tasks: ["flow"] };\n',
    "src/vision/spec/s.ts": '// for "flow"\nexport const odd = (task: string) => task === "flow";\n',
    "src/app/a.ts": 'export const b = {\n  classification: 1,\n}["classification"];\n',
    "src/app/c.ts": 'export const help = `{ "task": "flow" }`;\n',
    "src/app/d.ts": "export const words: Readonly<Record<TaskName, string>> = { classification: 1 };\n",
    "src/app/a.test.ts": 'export const t = "flow";\n',
  });
  expect(found).toEqual([
    'src/app/a.ts:3 asks for the task "classification" by its name; let its definition in src/vision/tasks say it.',
    "src/app/d.ts:1 keeps a table of tasks; let their definitions in src/vision/tasks say it.",
    'src/vision/spec/s.ts:2 asks for the task "flow" by its name; let its definition in src/vision/tasks say it.',
  ]);
});
