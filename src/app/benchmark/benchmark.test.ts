import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { commonCorruptions } from "../../vision/corruptions/catalogue.js";
import { faultline } from "../cli/testing/scene.js";
import { readBenchmark } from "./benchmark.js";
import { type Card, cardSchema } from "./card.js";
import { alexNetErrors } from "./corruption-error.js";
import { curves } from "./curves.js";
import { latexText } from "./latex.js";
import { leaderboard, runTable, tableMarkdown } from "./tables.js";
import { type MadeUp, writeMadeUpRun } from "./testing/made-up-runs.js";
import { writeBenchmark } from "./write.js";

// Reports over runs that were never run: each number in them is given, so what must come out is known.

const folder = mkdtempSync(join(tmpdir(), "faultline-benchmark-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const runs = join(folder, "runs");
beforeEach(() => rmSync(runs, { recursive: true, force: true }));
const version = "0.1.0";
const hasPdflatex = spawnSync("pdflatex", ["--version"]).status === 0;

const make = (list: readonly MadeUp[]): void => {
  for (const [i, run] of list.entries()) writeMadeUpRun(join(runs, `run-${i + 1}`), run);
};
const read = async (list: readonly MadeUp[]) => {
  make(list);
  return readBenchmark([runs], { version });
};
const attacked = (model: string, attack: string, epsilon: number, value: number | null, more: Partial<MadeUp> = {}): MadeUp => ({
  ...{ model, attack, parameters: { epsilon: epsilon / 255 }, clean: 0.8, value },
  ...more,
});

/** Two models, two attacks at two radii, two corruptions. */
const grid = (): MadeUp[] =>
  ["oak", "elm"].flatMap((model, m) => [
    { model, clean: 0.8 - m / 10 },
    attacked(model, "pgd", 4, 0.5 - m / 10, { clean: 0.8 - m / 10 }),
    attacked(model, "pgd", 8, 0.3 + m / 20, { clean: 0.8 - m / 10 }),
    attacked(model, "cospgd", 4, 0.4, { clean: 0.8 - m / 10 }),
    attacked(model, "cospgd", 8, 0.2, { clean: 0.8 - m / 10, audit: m === 0 ? "failed" : "passed" }),
    { model, corruption: "fog:3", clean: 0.6 },
    { model, corruption: "snow:3", clean: 0.5 + m / 10 },
  ]);

describe("the leaderboard", () => {
  it("has models as rows, the worst over attacks of each radius, mean and worst over corruptions", async () => {
    const { boards } = await read(grid());
    expect(boards).toHaveLength(1);
    expect(tableMarkdown(leaderboard(boards[0]!))).toMatchInlineSnapshot(`
      "| model | clean | PGD 4/255 | PGD 8/255 | CosPGD 4/255 | CosPGD 8/255 | worst l_inf 4/255 | worst l_inf 8/255 | mean corr. | worst corr. (GAM) | audit |
      | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
      | oak | **80.0 %** | **50.0 %** | 30.0 % | **40.0 %** | **20.0 %** | **40.0 %** | **20.0 %** | 55.0 % | 50.0 % | 1 failed |
      | elm | 70.0 % | 40.0 % | **35.0 %** | **40.0 %** | **20.0 %** | **40.0 %** | **20.0 %** | **60.0 %** | **60.0 %** | passed |

      worst l_inf 4/255: the worst over the attacks within l_inf 4/255 (SemSegBench's reliability measure, ReM)

      mean corr.: mean over the corruptions: over kinds of the mean over their severities

      worst corr. (GAM): the worst kind and severity (SemSegBench's generalization ability measure, GAM)
      "
    `);
  });

  it("says over how many attacks the worst is, and has no mean over corruptions that are not all there", async () => {
    const list = grid().filter((r) => !(r.model === "elm" && (r.attack === "pgd" || r.corruption === "snow:3")));
    const { boards } = await read(list);
    const elm = boards[0]!.standings.find((s) => s.model === "elm")!;
    expect(elm.worst.map(({ threat, over, of }) => [threat, over, of])).toEqual([
      ["l_inf 4/255", 1, 2],
      ["l_inf 8/255", 1, 2],
    ]);
    expect(elm.corruption).toMatchObject({ mean: null, over: 1, of: 2 });
    const text = tableMarkdown(leaderboard(boards[0]!));
    expect(text).toContain("20.0 % (over 1 of 2 attacks)");
    expect(text).toContain("– (1 of 2 corruptions are there)");
  });

  it("takes what is infinite for no number, and orders models with none last", async () => {
    const { boards } = await read([attacked("oak", "pgd", 8, null), attacked("elm", "pgd", 8, 0.1)]);
    expect(boards[0]!.standings.map((s) => [s.model, s.worst.length])).toEqual([
      ["elm", 1],
      ["oak", 0],
    ]);
  });

  it("does not count a search without a radius among the worst", async () => {
    const { boards } = await read([attacked("oak", "pgd", 8, 0.3), { model: "oak", attack: "deepfool", clean: 0.8, value: 0 }]);
    expect(boards[0]!.standings[0]!.worst).toMatchObject([{ threat: "l_inf 8/255", value: 0.3, over: 1, of: 1 }]);
  });

  it("knows which way errors get better", async () => {
    const { boards } = await read([
      attacked("oak", "pgd", 8, 9, { task: "flow", clean: 2 }),
      attacked("oak", "cospgd", 8, 12, { task: "flow", clean: 2 }),
      attacked("elm", "pgd", 8, 7, { task: "flow", clean: 3 }),
    ]);
    const [first, second] = boards[0]!.standings;
    expect([first!.model, second!.model, second!.worst[0]!.value]).toEqual(["elm", "oak", 12]);
  });
});

describe("mean corruption errors", () => {
  const five = [1, 2, 3, 4, 5];
  /** Top-1 accuracies under all of ImageNet-C, by kind and severity. */
  const all = (of: (kind: string, severity: number) => number, more: Partial<MadeUp>): MadeUp[] =>
    commonCorruptions.flatMap((kind) =>
      five.map((severity) => ({
        ...{ model: "oak", task: "classification" as const, corruption: `${kind}:${severity}`, clean: of(kind, severity) },
        ...more,
      })),
    );

  it("is 1 of a model with AlexNet's errors, whatever the severities", async () => {
    const slope = (severity: number) => (severity - 3) / 100;
    const runs = all((kind, severity) => 1 - alexNetErrors[kind]! - slope(severity), { length: 50_000, ofClasses: 1000 });
    const { cards } = await read([
      { model: "oak", task: "classification", clean: 0.7, length: 50_000, ofClasses: 1000 },
      ...runs,
    ]);
    expect(cards[0]!.meanCorruptionError!.normalized).toBeCloseTo(1, 12);
    const mean = Object.values(alexNetErrors).reduce((a, b) => a + b) / 15;
    expect(cards[0]!.meanCorruptionError!.unnormalized).toBeCloseTo(mean, 12);
  });

  it.each([
    ["other data", { length: 10_000, ofClasses: 1000 }],
    ["other classes", { length: 50_000, ofClasses: 10 }],
    ["no truth", { length: 50_000, ofClasses: 1000, truth: false }],
  ])("is not normalized with %s", async (_, more) => {
    const { cards } = await read(all(() => 0.4, more));
    expect(cards[0]!.meanCorruptionError).toEqual({ unnormalized: expect.closeTo(0.6, 12) });
  });

  it("is there only with all five severities, and where the metric is a share", async () => {
    expect((await read([{ model: "oak", corruption: "fog:3", clean: 0.5 }])).cards[0]!.meanCorruptionError).toBeUndefined();
    rmSync(runs, { recursive: true });
    const flow = five.map((s): MadeUp => ({ model: "oak", task: "flow", corruption: `fog:${s}`, clean: s }));
    const { cards } = await read(flow);
    expect([cards[0]!.meanOfCorruptions, cards[0]!.meanCorruptionError]).toEqual([3, undefined]);
  });
});

describe("what is compared with what", () => {
  it.each<[string, string, Partial<MadeUp>]>([
    ["tasks", "task and metric", { task: "flow" }],
    ["data", "data", { data: "others" }],
    ["contents of one name", "data", { length: 99 }],
    ["limits", "samples", { limit: 50 }],
    ["references", "metric", { truth: false }],
    ["goals", "goal", { target: "class:1" }],
  ])("other %s get a table of their own", async (_, words, more) => {
    make([attacked("oak", "pgd", 8, 0.3), attacked("elm", "pgd", 8, 0.2, more)]);
    const { report, benchmark } = await writeBenchmark([runs], join(folder, "out"), { version });
    expect(benchmark.boards).toHaveLength(2);
    expect(readFileSync(report, "utf8")).toContain(`whose numbers do not compare: they differ in ${words}`);
  });

  it("other seeds of a limit are other samples; other seeds of the search are columns, and said", async () => {
    const limited = (seed: number) => attacked("oak", "pgd", 8, 0.3, { limit: 10, seed });
    expect((await read([limited(1), limited(2)])).boards).toHaveLength(2);
    rmSync(runs, { recursive: true });
    const { boards } = await read([attacked("oak", "pgd", 8, 0.3), attacked("oak", "pgd", 8, 0.2, { seed: 1 })]);
    expect(boards[0]!.columns.map((c) => c.label)).toEqual(["PGD 8/255, seed 0", "PGD 8/255, seed 1"]);
    expect(boards[0]!.group.notes.join(" ")).toContain("differ in their seeds (0, 1)");
  });

  it("says what makes numbers less than comparable", async () => {
    const { boards } = await read([
      { model: "oak", errors: 3 },
      { model: "elm", version: "0.0.9" },
    ]);
    const notes = boards[0]!.group.notes.join(" ");
    expect(notes).toContain("different numbers of samples (97, 100)");
    expect(notes).toContain("3 samples failed");
    expect(notes).toContain("different versions of Faultline (0.1.0, 0.0.9)");
  });

  it("counts runs of one setting once, and says where they differ", async () => {
    const same = attacked("oak", "pgd", 8, 0.3);
    const { boards } = await read([same, same, { ...same, value: 0.25 }]);
    expect(boards[0]!.notes).toEqual([
      "run-2 says the same as run-1, and is counted once.",
      "run-3 has the setting of run-1 and another number; that of run-1 is shown.",
    ]);
    const { boards: both } = await readBenchmark([runs, join(runs, "run-1")], { version });
    expect(both[0]!.group.rows).toHaveLength(3);
  });

  it("tells models of one name apart", async () => {
    make([{ model: "a/model" }, { model: "b/model" }, { model: "c/oak" }, { model: "d/oak" }]);
    const { boards } = await readBenchmark([runs], { version });
    const names = boards[0]!.standings.map((s) => s.model).sort();
    expect(names).toEqual(["a", "b", expect.stringMatching(/^oak [0-9a-f]{6}$/), expect.stringMatching(/^oak [0-9a-f]{6}$/)]);
  });
});

describe("a sweep's directory", () => {
  it("says what failed, what is not finished and what was done before, and takes no run that it does not name", async () => {
    const sweep = join(runs, "sweep");
    const cell = (name: string) => join(sweep, "cells", name);
    for (const name of ["one", "two", "old"]) writeMadeUpRun(cell(name), attacked("oak", "pgd", name === "one" ? 8 : 4, 0.3));
    writeFileSync(
      join(cell("two"), "cell.json"),
      JSON.stringify({ format: 1, key: "k", version, from: "/somewhere/earlier/two" }),
    );
    writeFileSync(
      `${cell("three")}.failed.json`,
      JSON.stringify({ key: "k", sentence: "the model <b> cannot be read", attempts: 3 }),
    );
    const names = ["one", "two", "three", "four"].map((n) => `cells/${n}`);
    writeFileSync(join(sweep, "sweep.json"), JSON.stringify({ command: "sweep", format: 2, runs: names }));
    const { benchmark, report } = await writeBenchmark([sweep], join(folder, "swept"), { version });
    expect(benchmark.rows.map((r) => r.name)).toEqual(["one", "two"]);
    const html = readFileSync(report, "utf8");
    expect(html).toContain("three: the model &#60;b&#62; cannot be read");
    expect(html).toContain("1 not finished");
    expect(html).toContain("1 run was done before");
    expect(html).not.toContain("/somewhere");
    const { out } = await faultline("report", sweep, "--out", join(folder, "swept"));
    expect(out).toContain("1 not finished, and in no number: four\n1 failed, and in no number: three\n");
  });
});

describe("what is written", () => {
  it("is one page without anything from elsewhere, tables, curves and cards", async () => {
    const picture = await sharp({ create: { width: 900, height: 600, channels: 3, background: "#888" } })
      .png()
      .toBuffer();
    make(grid().map((run) => ({ ...run, classes: 3, picture })));
    const out = join(folder, "all");
    const { report } = await writeBenchmark([runs], out, { version });
    expect(readdirSync(out).sort()).toEqual(["cards", "figures", "report.html", "table.csv", "table.md", "table.tex"]);
    expect(readdirSync(join(out, "cards")).sort()).toEqual(["elm.json", "elm.md", "oak.json", "oak.md"]);
    expect(readdirSync(join(out, "figures"))).toEqual(["epsilon-cospgd.svg", "epsilon-pgd.svg"]);
    const html = readFileSync(report, "utf8");
    expect(html).not.toMatch(/(src|href)="(?!data:image\/webp|#)/);
    expect(html).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    expect(html).not.toContain("/somewhere");
    expect(html.match(/data:image\/webp/g)!.length).toBe(12);
    expect(html).toContain("--attack cospgd");
    for (const file of ["table.csv", "table.md", "table.tex", "cards/oak.json", "cards/oak.md"])
      expect(readFileSync(join(out, file), "utf8")).not.toContain("/somewhere");
    const card = JSON.parse(readFileSync(join(out, "cards/oak.json"), "utf8"));
    expect(cardSchema.parse(card)).toEqual(card);
    expect(readFileSync(join(out, "cards/oak.md"), "utf8")).toMatchInlineSnapshot(`
      "# oak

      On 100 samples of photos. Model SHA-256 df877645404747cb797334b8055b51fc081856d44f5f59a4107f3cdd495c7a0e.
      mIoU against the ground truth; higher is better.

      | | mIoU |
      |---|---:|
      | clean | 80.0 % |
      | worst over attacks, l_inf 4/255 | 40.0 % (run-4) |
      | worst over attacks, l_inf 8/255 | 20.0 % (run-5) |
      | worst over attacks | 20.0 % (run-5) |
      | mean over corruptions | 55.0 % |
      | worst over corruptions | 50.0 % (run-7) |

      | attack | run | mIoU |
      |---|---|---:|
      | PGD 4/255 | run-2 | 50.0 % |
      | PGD 8/255 | run-3 | 30.0 % |
      | CosPGD 4/255 | run-4 | 40.0 % |
      | CosPGD 8/255 | run-5 | 20.0 % |

      | corruption | run | mIoU |
      |---|---|---:|
      | snow 3 | run-7 | 50.0 % |
      | fog 3 | run-6 | 60.0 % |

      The audit fails of run-5: these numbers may be too good.
      "
    `);
    expect(readFileSync(join(out, "table.tex"), "utf8")).toMatchInlineSnapshot(`
      "% Needs \\usepackage{booktabs}.
      \\begin{table}
        \\centering
        \\caption{mIoU on photos. mIoU against the ground truth; higher is better for the model.}
        \\label{tab:faultline}
        \\begin{tabular}{lrrrrrrrrrl}
          \\toprule
          model & clean & PGD 4/255 & PGD 8/255 & CosPGD 4/255 & CosPGD 8/255 & worst l\\_inf 4/255 & worst l\\_inf 8/255 & mean corr. & worst corr. (GAM) & audit \\\\
          \\midrule
          oak & \\textbf{80.0~\\%} & \\textbf{50.0~\\%} & 30.0~\\% & \\textbf{40.0~\\%} & \\textbf{20.0~\\%} & \\textbf{40.0~\\%} & \\textbf{20.0~\\%} & 55.0~\\% & 50.0~\\% & 1 failed \\\\
          elm & 70.0~\\% & 40.0~\\% & \\textbf{35.0~\\%} & \\textbf{40.0~\\%} & \\textbf{20.0~\\%} & \\textbf{40.0~\\%} & \\textbf{20.0~\\%} & \\textbf{60.0~\\%} & \\textbf{60.0~\\%} & passed \\\\
          \\bottomrule
        \\end{tabular}
      \\end{table}
      "
    `);
    expect(readFileSync(join(out, "table.csv"), "utf8").split("\n").slice(0, 3)).toMatchInlineSnapshot(`
      [
        "attack,model,data,corruption,samples,sizes,goal,seed,norm,epsilon,steps,step-size,schedule,restarts,random-start,grid,task,against,mIoU clean,mIoU adversarial,mIoU saved,audit,run",
        "no-attack,oak,photos,none,100,"{""mismatch"":""pad""}",away from truth,0,,,,,,,,,segmentation,truth,0.8,0.8,0.8,none,run-1",
        "pgd,oak,photos,none,100,"{""mismatch"":""pad""}",away from truth,0,l_inf,4/255,20,1.28/255,constant,1,published,continuous,segmentation,truth,0.8,0.5,0.5,passed,run-2",
      ]
    `);
  });

  it("draws a line for each model, and at most twelve", async () => {
    const { boards } = await read(grid());
    const [figure] = curves(boards[0]!).figures;
    expect(figure!.caption).toBe("mIoU under attack along epsilon: pgd.");
    expect(figure!.svg).toMatchSnapshot();
    rmSync(runs, { recursive: true });
    const models = Array.from({ length: 30 }, (_, m) => `m${m}`);
    const crowd = await read(models.flatMap((model, m) => [4, 8].map((e) => attacked(model, "pgd", e, (30 - m) / 60))));
    const [crowded] = curves(crowd.boards[0]!).figures;
    expect(crowded!.caption).toContain("The 6 highest and the 6 lowest of 30 lines.");
    expect(crowded!.svg.match(/<circle/g)).toHaveLength(24);
  });

  it("removes what an earlier report of other runs left", async () => {
    const out = join(folder, "twice");
    make(grid());
    await writeBenchmark([runs], out, { version });
    rmSync(runs, { recursive: true });
    make([{ model: "oak" }]);
    await writeBenchmark([runs], out, { version });
    expect(readdirSync(out).sort()).toEqual(["card.json", "card.md", "report.html", "table.csv", "table.md", "table.tex"]);
  });

  it("writes out what means something in LaTeX, Markdown and HTML", async () => {
    expect(latexText("a_b & 50 % {x} \\y ~ ^ # $ < |\n–")).toBe(
      "a\\_b \\& 50 \\% \\{x\\} \\textbackslash{}y \\textasciitilde{} \\textasciicircum{} \\# \\$ \\textless{} \\textbar{} --",
    );
    make([{ model: "a|b_<i>" }, { model: "elm" }]);
    const out = join(folder, "odd");
    const { benchmark } = await writeBenchmark([runs], out, { version });
    expect(readFileSync(join(out, "table.md"), "utf8")).toContain("a\\|b_<i>");
    expect(readFileSync(join(out, "table.tex"), "utf8")).toContain("a\\textbar{}b\\_\\textless{}i\\textgreater{}");
    expect(readFileSync(join(out, "report.html"), "utf8")).not.toContain("<i>");
    expect(readdirSync(join(out, "cards"))).toContain("a-b_-i-.json");
    expect(runTable(benchmark.boards[0]!.group).head[0]!.text).toBe("model");
  });
});

describe("faultline report", () => {
  it("prints the cards as JSON, and writes nothing then", async () => {
    make(grid());
    const { out, code } = await faultline("report", runs, "--json");
    const { cards } = JSON.parse(out) as { readonly cards: readonly Card[] };
    expect([code, cards.map((c) => c.model.name)]).toEqual([0, ["oak", "elm"]]);
  });

  it.each<[string, () => string[], string]>([
    ["nothing there", () => [join(folder, "none")], "none is not there; name run directories"],
    ["a file", () => [join(runs, "run-1", "run.json")], "run.json is a file; name the directory of a run"],
    ["no run", () => [runs], "is no run directory and holds none"],
    ["an output that is a run", () => [runs, "--out", join(runs, "run-1")], "run-1 is a run; name another directory with --out"],
    ["a count that is none", () => [runs, "--pictures", "-1"], "write a number from 0 on"],
  ])("says in one sentence that there is %s", async (what, args, sentence) => {
    if (what === "no run") mkdirSync(join(runs, "empty"), { recursive: true });
    else make([{ model: "oak" }]);
    const { code, err } = await faultline("report", ...args());
    expect([code, err]).toEqual([1, expect.stringContaining(sentence)]);
    expect(err).not.toContain("    at ");
  });

  it("says which run is not finished where none is", async () => {
    make([{ model: "oak" }]);
    rmSync(join(runs, "run-1", "summary.json"));
    const { err } = await faultline("report", runs, "--out", join(folder, "nothing"));
    expect(err).toMatch(/not one run is finished \(.*run-1 has no summary.json\); repeat the command that made it/);
    expect(existsSync(join(folder, "nothing"))).toBe(false);
  });

  it.skipIf(!hasPdflatex)(
    "is a table that pdflatex takes, whatever models are called",
    async () => {
      const names = ["res_net & co #1", "50% {x}~^$\\", '[first] <b>|"c"', "ε ≤ ∞ − 1 → √2 ± ²", "größe é ş “q” – …"];
      make(names.flatMap((model) => [attacked(model, "pgd", 4, 0.5), attacked(model, "cospgd", 8, null)]));
      const out = join(folder, "latex");
      await writeBenchmark([runs], out, { version });
      writeFileSync(
        join(out, "paper.tex"),
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\input{table}\\end{document}\n",
      );
      const { status, stdout } = spawnSync("pdflatex", ["-interaction=nonstopmode", "-halt-on-error", "paper.tex"], { cwd: out });
      expect([status, status === 0 ? "" : String(stdout)]).toEqual([0, ""]);
    },
    60_000,
  );

  it("says where names need another TeX than pdflatex", async () => {
    make([{ model: "模型" }, { model: "elm" }]);
    const out = join(folder, "letters");
    await writeBenchmark([runs], out, { version });
    expect(readFileSync(join(out, "table.tex"), "utf8")).toMatch(/^% Needs .*take lualatex or xelatex\.\n/);
  });
});
