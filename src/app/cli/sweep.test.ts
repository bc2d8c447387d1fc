import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { faultline, network, scratch, writeScenes } from "./testing/scene.js";

// From one command to a table: several attacks, radii, numbers of steps.

const folder = scratch();
const model = folder.path("net.onnx");
const said = ["--task", "segmentation", "--range", "0..1", "--channels", "rgb", "--meaning", "logits"];
afterAll(() => folder.remove());
beforeAll(async () => {
  copyFileSync(network("segmentation"), model);
  await writeScenes(folder.path("scenes"), 1);
});

const attack = (...more: string[]) =>
  faultline("attack", model, ...said, "--data", folder.path("scenes"), "--no-audit", "--quiet", ...more);
const text = (...path: string[]) => readFileSync(folder.path(...path), "utf8");

it("makes one run of each combination, a table in four forms, and curves", async () => {
  const many = ["--attack", "pgd,fgsm", "--epsilon", "4/255,8/255", "--steps", "1,2", "--out", folder.path("sweep")];
  const { code, err } = await attack(...many);
  expect([code, err]).toEqual([0, ""]);
  const { runs } = JSON.parse(text("sweep", "sweep.json"));
  // FGSM has no number of steps, so it stands there once for each radius.
  expect(runs).toEqual([
    "pgd-epsilon-4-255-steps-1",
    "pgd-epsilon-4-255-steps-2",
    "pgd-epsilon-8-255-steps-1",
    "pgd-epsilon-8-255-steps-2",
    "fgsm-epsilon-4-255",
    "fgsm-epsilon-8-255",
  ]);
  const csv = text("sweep", "table.csv").trim().split("\n");
  expect(csv).toHaveLength(7);
  expect(csv[0]).toMatch(/^attack,.*mIoU clean,mIoU adversarial,mIoU saved,/);
  expect(text("sweep", "table.md")).toMatch(/^\| attack \| epsilon \| steps \| mIoU, clean \| adversarial \|/);
  expect(text("sweep", "table.tex")).toContain("attack & epsilon & steps & mIoU, clean & adversarial");
  expect(readdirSync(folder.path("sweep", "figures"))).toEqual(["epsilon.svg", "steps.svg"]);
  expect(text("sweep", "report.html")).toContain('href="fgsm-epsilon-4-255/report.html"');

  // The same command finds everything done; the directory can be reported like a run.
  expect((await attack(...many)).code).toBe(0);
  const { cards } = JSON.parse((await faultline("report", folder.path("sweep"), "--json")).out);
  expect(cards).toHaveLength(1);
  expect(cards[0].attacks.map((a: { run: string }) => a.run)).toEqual(runs);
});

it("puts single runs side by side by what tells them apart", async () => {
  await attack("--attack", "pgd", "--steps", "1", "--out", folder.path("one"));
  await attack("--attack", "pgd", "--steps", "2", "--out", folder.path("two"));
  const { out, code } = await faultline("report", folder.path("one"), folder.path("two"), "--out", folder.path("both"));
  expect(code).toBe(0);
  expect(out).toMatch(/^steps +mIoU, clean +adversarial/);
  expect(out).toMatch(/mIoU of net goes from .* under CosPGD 8\/255|mIoU of net goes from .* under PGD 8\/255/);
  expect(existsSync(folder.path("both", "table.csv"))).toBe(true);
  expect(text("both", "report.html")).not.toContain(folder.path());
});

it("says which of the runs misses a bound, in words and as JSON", async () => {
  const { code, out, err } = await attack(
    ...["--epsilon", "4/255,8/255", "--steps", "1", "--fail-under", "miou=99.9", "--json", "--out", folder.path("bound")],
  );
  expect(code).toBe(2);
  expect(err).toMatch(/faultline: cospgd-epsilon-4-255: mIoU is .*\n.*faultline: cospgd-epsilon-8-255: mIoU is/);
  expect(JSON.parse(out)).toMatchObject({
    exitCode: 2,
    missed: [expect.stringMatching(/^cospgd-epsilon-4-255: mIoU is/), expect.stringMatching(/^cospgd-epsilon-8-255: mIoU is/)],
  });
});

it("says what it understood where a flag lists several values, a decimal comma above all", async () => {
  const lists = ["--attack", "pgd,fgsm", "--norm", "l_2", "--epsilon", "1,5", "--steps", "1"];
  const { err } = await faultline(
    ...["attack", model, "--task", "segmentation", "--data", folder.path("scenes"), "--limit", "1", "--no-audit"],
    ...[...lists, "--out", folder.path("understood")],
  );
  expect(err).toContain(
    "4 runs: every combination of\n  --attack pgd,fgsm: 2 values, pgd and fgsm\n  --epsilon 1,5: 2 values, 1 and 5 (one number would be 1.5)\n",
  );
});

it("says once what is assumed and what is odd, and leaves nothing behind where no run comes to anything", async () => {
  const scenes = ["--task", "segmentation", "--data", folder.path("scenes"), "--no-audit"];
  const several = ["--attack", "pgd", "--epsilon", "1/255,8/255", "--step-size", "4/255", "--steps", "2"];
  const { err } = await faultline("attack", model, ...scenes, ...several, "--out", folder.path("said"));
  expect(err.match(/^assumed, /gm)).toHaveLength(1);
  expect(err.match(/^note: A step of pgd .* is longer than the radius/gm)).toHaveLength(1);
  await writeScenes(folder.path("wrong"), 1, () => 77);
  const out = folder.path("none", "within");
  const failed = await faultline(
    "attack",
    model,
    ...scenes.toSpliced(3, 1, folder.path("wrong")),
    "--steps",
    "1,2",
    "--out",
    out,
  );
  expect([failed.code, failed.err]).toEqual([1, expect.stringMatching(/the only sample could not be attacked: .*label 77/)]);
  expect(existsSync(folder.path("none"))).toBe(false);
});

it("says in one sentence what does not go together", async () => {
  expect((await attack("--attack", "pgd,nothing")).err).toContain('there is no attack "nothing"');
  expect((await attack("--attack", "CosPGD")).err).toContain("did you mean cospgd?");
  expect((await attack("--steps", "1,2", "--shard", "1/2")).err).toContain("do the attacks one by one");
  expect((await attack("--epsilon", "0,03")).err).toContain(
    "--epsilon 0,03: a comma stands between the numbers of a list; for one number write 0.03, for the list of both 0.0,03.",
  );
  expect((await attack("--mean", "0,485,0,456,0,406", "--std", "1,1,1")).err).toContain("write 0.485,0.456,0.406");
  expect((await attack("--scale", "0,5")).err).toContain("write 0.5, with a point");
  expect((await attack("--attack", "universal", "--fit-on", "0,5")).err).toContain("--fit-on 0,5: write 0.5, with a point");
  expect((await attack("--epsilon", "4/255,x")).err).toContain("--epsilon x: write a number");
  expect((await faultline("report", folder.path("scenes"))).err).toContain("no run directory");
});
