import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { attacks } from "../../methods/attacks/catalogue/index.js";
import type { AttackSummary } from "../attack/summary.js";
import type { Card } from "../benchmark/card.js";
import { readSuite, runsOf } from "../evaluate/suite.js";
import { suites } from "../evaluate/suites.js";
import { attackTyped } from "./attack-flags.js";
import { faultline, scratch } from "./testing/scene.js";

const folder = scratch();
const model = fileURLToPath(new URL("../../../fixtures/models/segmenter.onnx", import.meta.url));
const suite = {
  name: "small",
  attacks: [
    { attack: "noise", epsilon: "8/255" },
    { attack: "pgd", epsilon: "8/255", "step-size": 0.01, steps: 2 },
  ],
  corruptions: { kinds: ["fog", "frost"], severities: [1, 5] },
};
const data = ["--data", "synthetic:96,length=2", "--channels", "rgb", "--range", "-1..1", "--threads", "1"];
const evaluate = (out: string, ...more: string[]) =>
  faultline("evaluate", model, "--suite", folder.path("small.json"), ...data, "--out", folder.path(out), ...more);

beforeAll(() => writeFileSync(folder.path("small.json"), JSON.stringify(suite)));
afterAll(folder.remove);

it("puts a model through a suite: clean, attacks, corruptions; a card says what they come to", async () => {
  const { code, out, err } = await evaluate("one", "--json");
  expect(code).toBeLessThanOrEqual(1);
  expect(err).toContain("procedural_frost takes the place of frost");
  expect(err).toContain("7 of 7: procedural_frost-5");
  const card = JSON.parse(out) as Card;
  expect(card).toEqual(JSON.parse(readFileSync(folder.path("one", "card.json"), "utf8")));
  expect(card.attacks.map((a) => a.run)).toEqual(["noise-epsilon-8-255", "pgd-epsilon-8-255-step-size-0.01-steps-2"]);
  expect(card.corruptions.map((c) => c.run)).toEqual(["fog-1", "fog-5", "procedural_frost-1", "procedural_frost-5"]);
  expect(card.worstAttack).toEqual({ run: card.attacks[1]!.run, value: Math.min(...card.attacks.map((a) => a.value!)) });
  const values = card.corruptions.map((c) => c.value!);
  expect(card.meanOfCorruptions).toBeCloseTo(values.reduce((a, b) => a + b) / 4, 12);
  expect(card.worstCorruption!.value).toBe(Math.min(...values));
  expect(card.clean!).toBeGreaterThan(card.worstCorruption!.value);
  const text = readFileSync(folder.path("one", "card.md"), "utf8");
  expect(text).toContain("| worst over attacks |");
  expect(readFileSync(folder.path("one", "report.html"), "utf8")).toContain("fog:5");
});

it("what is done is not done again, and what is left is: the bytes are those of one run", async () => {
  const card = readFileSync(folder.path("one", "card.json"));
  cpSync(folder.path("one"), folder.path("two"), { recursive: true });
  for (const name of ["card.json", "fog-5", "sweep.json"]) rmSync(folder.path("two", name), { recursive: true });
  const records = folder.path("two", "fog-1", "records.jsonl");
  const before = readFileSync(records);
  await evaluate("two", "--quiet");
  expect(readFileSync(records)).toEqual(before);
  expect(readFileSync(folder.path("two", "card.json"))).toEqual(card);
  expect(readFileSync(folder.path("two", "fog-5", "records.jsonl"))).toEqual(
    readFileSync(folder.path("one", "fog-5", "records.jsonl")),
  );
});

it("every run must meet a bound, and one that the task has not is refused before any work", async () => {
  const missed = await evaluate("one", "--allow-audit", "--quiet", "--fail-under", "miou=99");
  expect(missed.code, missed.err).toBe(2);
  expect(missed.err).toMatch(/^faultline: fog-5: mIoU is [\d.]+.%, below the 99\.0.% of --fail-under\.$/m);
  expect((await evaluate("one", "--allow-audit", "--quiet", "--fail-under", "miou=0")).code).toBe(0);
  const refused = await evaluate("none", "--fail-over", "epe=3");
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("segmentation has the metrics mIoU")]);
});

it("a suite is printed as the file that is read", async () => {
  const { out } = await faultline("evaluate", "--print-suite", "dense-v1");
  writeFileSync(folder.path("mine.json"), out);
  expect(readSuite(folder.path("mine.json"))).toEqual(suites["dense-v1"]);
});

it.each(Object.values(suites))("$name: its runs have names of their own", (of) => {
  const cells = runsOf(of, undefined);
  expect(new Set(cells.map((c) => c.name)).size).toBe(cells.length);
  const { kinds, severities } = of.corruptions ?? { kinds: [], severities: [] };
  expect(cells.length).toBe(1 + of.attacks.length + kinds.length * severities.length);
  // Each is an attack that there is, with parameters that it has.
  for (const { attack, parameters } of cells) expect(attackTyped(attack, parameters, attacks).name).toBe(attack);
});

it.each([
  [{ ...suite, attacks: [{ attack: "pgd", epsilon: "wide" }] }, "--epsilon wide"],
  [{ ...suite, attacks: [{ attack: "pgdd" }] }, "pgdd"],
  [{ ...suite, attacks: [{ attack: "fgsm", steps: 3 }] }, "fgsm has no such parameter"],
  [{ ...suite, corruptions: { kinds: ["fgog"], severities: [1] } }, 'there is no corruption "fgog" (did you mean fog?)'],
  [{ ...suite, corruptions: { kinds: ["fog"], severities: [9] } }, "severities"],
  [{ ...suite, for: { kind: "picture" } }, "suite small is not for segmentation; take dense-v1"],
  [{ name: "no attacks" }, "name"],
])("says in one sentence what is wrong with a suite, and writes nothing (%#)", async (wrong, sentence) => {
  mkdirSync(folder.path("wrong"), { recursive: true });
  writeFileSync(folder.path("wrong", "wrong.json"), JSON.stringify(wrong));
  const { code, err } = await faultline(
    "evaluate",
    model,
    "--suite",
    folder.path("wrong", "wrong.json"),
    ...data,
    "--out",
    folder.path("none"),
  );
  expect(code).toBe(1);
  expect(err).toContain(sentence);
  expect(existsSync(folder.path("none"))).toBe(false);
});

it("an unknown suite is refused with those that there are", async () => {
  const { err } = await faultline("evaluate", model, "--suite", "dense-v2", ...data);
  expect(err).toContain('there is no suite "dense-v2" (did you mean dense-v1?)');
});

it("measures the images of another run on the model: in transfer.json, the card and the report", async () => {
  // The same network with other bytes, so that what breaks one breaks the other.
  const other = folder.path("other.onnx");
  cpSync(model, other);
  appendFileSync(other, Uint8Array.of(0x12, 0x01, 0x78));
  const attack = (out: string, ...more: string[]) =>
    faultline("attack", other, "--task", "segmentation", ...data, "--out", folder.path(out), "--no-audit", "--quiet", ...more);
  await attack("source", "--attack", "pgd", "--epsilon", "8/255", "--steps", "3", "--save", "float");
  const source = JSON.parse(readFileSync(folder.path("source", "summary.json"), "utf8")) as AttackSummary;
  // The attacked model need not be there any more.
  rmSync(other);
  const before = readFileSync(folder.path("source", "summary.json"));
  const { out } = await evaluate("one", "--json", "--transfer-from", folder.path("source"));
  const card = JSON.parse(out) as Card;
  const [transfer, ...none] = card.transfers!;
  expect(none).toEqual([]);
  expect(transfer).toMatchObject({ run: "source", attack: "PGD, l_inf, epsilon 8/255", against: "truth", samples: 2 });
  expect(transfer!.from.model).toBe("other");
  const truth = source.metrics.truth!;
  expect(transfer!.clean).toBeCloseTo(truth.clean.mIoU!, 6);
  expect(transfer!.adversarial).toBeCloseTo(truth.adversarial.mIoU!, 6);
  expect(transfer!.saved).toBeCloseTo(truth.saved.mIoU!, 6);
  expect(readFileSync(folder.path("one", "card.md"), "utf8")).toContain("| source (PGD, l_inf, epsilon 8/255) | other | truth |");
  expect(readFileSync(folder.path("one", "report.html"), "utf8")).toContain("source (PGD, l_inf, epsilon 8/255)");
  expect(readFileSync(folder.path("source", "summary.json"))).toEqual(before);
  const { out: report } = await faultline("report", folder.path("one"), "--out", folder.path("report"));
  expect(report).toBeDefined();
  expect((JSON.parse(readFileSync(folder.path("report", "card.json"), "utf8")) as Card).transfers).toEqual(card.transfers);
  // What nobody names is not shown.
  const plain = await evaluate("one", "--json");
  expect((JSON.parse(plain.out) as Card).transfers).toBeUndefined();
});

it.each([
  ["nowhere", "is no run directory: there is no such folder"],
  ["one", "holds several runs; name the one whose images are meant"],
  ["one/clean", "is without an attack"],
])("--transfer-from %s is refused in a sentence, before anything runs", async (run, sentence) => {
  const { code, err } = await evaluate("none", "--transfer-from", folder.path(run));
  expect(code).toBe(1);
  expect(err).toContain(sentence);
  expect(existsSync(folder.path("none"))).toBe(false);
});
