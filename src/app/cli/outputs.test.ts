import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { faultline, scratch } from "./testing/scene.js";

const folder = scratch();
beforeAll(() => {
  writeFileSync(folder.path("a-file"), "in the way\n");
});
afterAll(() => folder.remove());

const missing = () => folder.path("missing.onnx");
const within = () => folder.path("a-file/results");

// The model (the run, the picture) does not exist either: what is said first shows what was looked at first, and that nothing was read before it.
it.each<readonly [string, () => readonly string[]]>([
  ["spectrum", () => ["spectrum", missing(), "--out", within()]],
  ["spectrum compare", () => ["spectrum", "compare", missing(), missing(), "--out", within()]],
  ["criticality compare", () => ["criticality", "compare", missing(), missing(), "--out", within()]],
  ["sensor simulate", () => ["sensor", "simulate", missing(), "--layout", "rectangular", "--size", "4x4", "--out", within()]],
  ["report", () => ["report", missing(), "--out", within()]],
  ["grad", () => ["grad", missing(), "-o", within()]],
  ["compile", () => ["compile", missing(), "--task", "segmentation", "-o", `${within()}.onnx`]],
  ["retrofit", () => ["retrofit", missing(), "--down", "flc", "-o", `${within()}.onnx`]],
])("%s looks at its output before the work", async (_, args) => {
  const { code, err } = await faultline(...args());
  expect(err).toMatch(/a-file is a file(; name a directory with --out|, not a folder; name another place)\.\n$/);
  expect(code).toBe(1);
});
