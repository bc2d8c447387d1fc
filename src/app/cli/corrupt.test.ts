import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { corruptImage, corruptions } from "../../vision/corruptions/index.js";
import { readImage } from "../../vision/data/node/index.js";
import { faultline, scratch } from "./testing/scene.js";

const folder = scratch();
const golden = (name: string) => fileURLToPath(new URL(`../../../fixtures/golden/corruptions/${name}`, import.meta.url));
const model = fileURLToPath(new URL("../../../fixtures/models/segmenter.onnx", import.meta.url));

beforeAll(() => {
  mkdirSync(folder.path("photos", "inside"), { recursive: true });
  cpSync(golden("cat.png"), folder.path("photos", "cat.png"));
  cpSync(golden("cup.png"), folder.path("photos", "inside", "cup.png"));
});
afterAll(folder.remove);

const corrupt = (...args: string[]) => faultline("corrupt", folder.path("photos"), ...args);

it("writes a folder's pictures under a corruption, in folders as there, as the library makes them", async () => {
  const { code, out } = await corrupt("--kind", "fog", "--severity", "3", "-o", folder.path("fog"));
  expect([code, out]).toEqual([0, `2 pictures in ${folder.path("fog")}\n`]);
  expect(readdirSync(folder.path("fog"), { recursive: true }).sort()).toEqual(
    ["cat.png", "inside", "inside/cup.png", "records.jsonl", "run.json"].sort(),
  );
  const expected = corruptImage(await readImage(golden("cup.png")), "inside/cup", { corruption: corruptions.fog!, severity: 3 });
  expect(await readImage(folder.path("fog", "inside", "cup.png"))).toEqual(expected);
});

it("several kinds and severities get folders of their own; repeating the command does nothing anew", async () => {
  const args = ["--kind", "brightness,gaussian_noise", "--severity", "1,5", "-o", folder.path("several")];
  expect((await corrupt(...args)).code).toBe(0);
  const file = folder.path("several", "gaussian_noise", "5", "inside", "cup.png");
  expect(existsSync(file)).toBe(true);
  writeFileSync(file, "kept");
  expect((await corrupt(...args)).code).toBe(0);
  expect(readFileSync(file, "utf8")).toBe("kept");
  const other = await corrupt(...args, "--seed", "1");
  expect(other.code).toBe(1);
  expect(other.err).toContain("holds a run with other settings");
});

it("a picture that cannot be read is named, and the others are written", async () => {
  mkdirSync(folder.path("damaged"));
  cpSync(golden("cup.png"), folder.path("damaged", "cup.png"));
  writeFileSync(folder.path("damaged", "broken.png"), "no picture");
  const { code, out, err } = await faultline(
    "corrupt",
    folder.path("damaged"),
    "--kind",
    "contrast",
    "--severity",
    "2",
    "-o",
    folder.path("some"),
  );
  expect(code).toBe(3);
  expect(out).toBe(`1 picture in ${folder.path("some")}; 1 could not be read\n`);
  expect(err).toContain(`${folder.path("damaged", "broken.png")}: this is not a picture`);
});

it.each([
  [["--kind", "foog", "--severity", "3"], 'there is no corruption "foog" (did you mean fog?)'],
  [["--kind", "constructor", "--severity", "3"], 'there is no corruption "constructor"'],
  [["--kind", "fog", "--severity", "6"], "1 to 5"],
  [["--kind", "frost", "--severity", "3"], "name a folder of them (--pictures FOLDER), or take procedural_frost"],
  [["--kind", "fog", "--severity", "3", "--pictures", "."], "none of these kinds lays pictures over the image"],
])("says in one sentence what is wrong with %j", async (args, sentence) => {
  const { code, err } = await corrupt(...args, "-o", folder.path("wrong"));
  expect(code).not.toBe(0);
  expect(err).toContain(sentence);
  expect(existsSync(folder.path("wrong"))).toBe(false);
});

it("writes neither over what it reads nor among other files, and does not make one file of two", async () => {
  const into = await corrupt("--kind", "fog", "--severity", "3", "-o", folder.path("photos"));
  expect(into.err).toContain("would overwrite what is read");
  mkdirSync(folder.path("other"));
  writeFileSync(folder.path("other", "notes.txt"), "mine");
  expect((await corrupt("--kind", "fog", "--severity", "3", "-o", folder.path("other"))).err).toContain("holds other files");
  cpSync(golden("cup.png"), folder.path("damaged", "cup.jpg"));
  const twice = await faultline(
    "corrupt",
    folder.path("damaged"),
    "--kind",
    "fog",
    "--severity",
    "3",
    "-o",
    folder.path("twice"),
  );
  expect(twice.err).toContain("would both become");
});

it("frost takes photographs from a folder", async () => {
  const args = ["--kind", "frost", "--severity", "2", "--pictures", folder.path("photos"), "-o", folder.path("frost")];
  expect((await corrupt(...args)).code).toBe(0);
});

it("--corruption does the same on the way to a model, stands in the plan, and changes the numbers", async () => {
  const run = async (out: string, ...more: string[]) => {
    const args = ["--data", "synthetic:96,length=2", "--attack", "noise", "--channels", "rgb", "--range", "0..1", "--no-audit"];
    const { code, err } = await faultline("attack", model, ...args, "--threads", "1", "--out", folder.path(out), ...more);
    expect(err).not.toContain("unexpected");
    expect(code).toBe(0);
    return JSON.parse(readFileSync(folder.path(out, "summary.json"), "utf8")) as { metrics: { truth: { clean: unknown } } };
  };
  const clean = await run("clean");
  const foggy = await run("foggy", "--corruption", "fog:5");
  expect(foggy.metrics.truth.clean).not.toEqual(clean.metrics.truth.clean);
  const plan = JSON.parse(readFileSync(folder.path("foggy", "run.json"), "utf8")) as { data: { corruption: string } };
  expect(plan.data.corruption).toBe("fog:5");
  const wrong = await faultline(
    "attack",
    model,
    "--data",
    "synthetic:96",
    "--corruption",
    "fog",
    "--channels",
    "rgb",
    "--out",
    folder.path("no"),
  );
  expect(wrong.err).toContain("severities are 1 to 5, as in fog:3");
});
