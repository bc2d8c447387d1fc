import { execFile } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { network, scratch, writeScenes } from "../src/app/cli/testing/scene.js";

// Modules that lie outside the checkout, as a user's do, with the command line as a process of its own.

const folder = scratch();
const root = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const names = ["probability-loss", "wavering-pgd", "both-gradients", "smallest-noise"];
const plugin = (name: string) => folder.path(`${name}.mjs`);

beforeAll(async () => {
  await writeScenes(folder.path("data"), 2);
  for (const name of names) copyFileSync(root(`examples/plugins/${name}.mjs`), plugin(name));
});
afterAll(() => folder.remove());

function faultline(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [root("src/app/cli/testing/start.mjs"), ...args], { cwd: folder.path() }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

const json = (...path: readonly string[]) => JSON.parse(readFileSync(folder.path(...path), "utf8"));
const model = network("segmentation");
const attack = (out: string, ...more: readonly string[]) =>
  faultline("attack", model, "--task", "segmentation", "--data", folder.path("data"), "--out", out, "--threads", "1", ...more);

it("docs/adding-an-attack.md shows the examples as they are", () => {
  const guide = readFileSync(root("docs/adding-an-attack.md"), "utf8");
  for (const name of names) expect(guide).toContain(readFileSync(root(`examples/plugins/${name}.mjs`), "utf8"));
});

describe("a module of one's own", () => {
  it("adds its parameters to the help", async () => {
    const { out } = await faultline("attack", "--plugin", "wavering-pgd.mjs", "--plugin=smallest-noise.mjs", "--help");
    expect(out).toMatch(/--sharpness <n> +power of the weight[\s\S]*\(default: 1\)\s+\[wavering-pgd\]/);
    expect(out).toMatch(/--broken <share>/);
    expect(out).toMatch(/--epsilon <radius> +radius of the ball[^(]*\(default: 8\/255/);
  });

  it("brings an attack and a loss; plan, report and resuming know them", async () => {
    const flags = ["--plugin", "wavering-pgd.mjs", "--attack", "wavering-pgd", "--sharpness", "2", "--steps", "3"];
    const { code, err } = await attack("wavering", ...flags);
    expect(code, err).toBe(0);
    const plan = json("wavering", "run.json");
    expect(plan.attack).toMatchObject({ name: "wavering-pgd", sharpness: 2, stepSize: 0.01 });
    expect(plan.plugins).toEqual([{ path: "wavering-pgd.mjs", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(readFileSync(folder.path("wavering", "report.html"), "utf8")).toMatch(
      /--plugin wavering-pgd\.mjs[\s\S]*--attack wavering-pgd[\s\S]*--sharpness 2/,
    );
    const again = await attack("wavering", ...flags);
    expect([again.code, again.err]).toEqual([0, expect.stringContaining("resuming wavering: 2 of 2")]);

    appendFileSync(plugin("wavering-pgd"), "// another one now\n");
    const changed = await attack("wavering", ...flags);
    expect([changed.code, changed.err]).toEqual([1, expect.stringContaining("holds a run with other settings")]);
    const moved = await faultline("audit", "wavering", "--plugin", root("examples/plugins/wavering-pgd.mjs"), "--samples", "1");
    expect(moved.err).not.toContain("is not the module");
    const audited = await faultline("audit", "wavering");
    expect([audited.code, audited.err]).toEqual([1, expect.stringContaining("is not the module that the run was made with")]);
  });

  it("brings a loss that any attack takes by its name", async () => {
    const flags = ["--plugin", "probability-loss.mjs", "--attack", "pgd", "--loss", "probability", "--steps", "3"];
    const { code, err } = await attack("loss", ...flags);
    expect(code, err).toBe(0);
    const { clean, adversarial } = json("loss", "summary.json").loss;
    expect(adversarial).toBeGreaterThan(clean);
    expect(adversarial).toBeLessThanOrEqual(1);
    const unknown = await attack("none", "--attack", "pgd", "--loss", "probability");
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('has no loss "probability"; it has cross-entropy')]);
  });

  it("brings an attack without gradients or a ball, whose numbers are kept", async () => {
    const flags = ["--plugin", "smallest-noise.mjs", "--attack", "smallest-noise", "--broken", "0.9", "--directions", "3"];
    const { code, out, err } = await attack("smallest", ...flags, "--reference", "prediction");
    expect(code, err).toBe(0);
    expect(out).toMatch(/smallest perturbation \(l_2\): median [\d.]+/);
    const { found, samples, smallest } = json("smallest", "summary.json");
    expect(samples).toBe(2);
    expect(found.queries.most).toBe(34);
    expect(smallest.median).toBeGreaterThan(0);
    const audit = json("smallest", "audit.json") as { name: string; verdict: string }[];
    expect(audit.find((c) => c.name === "Gradients are usable")?.verdict).toBe("not applicable");
    const refused = await attack("refused", ...flags, "--epsilon", "0.1");
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/--epsilon: smallest-noise has no such parameter; fgsm, .* have it/),
    ]);
    const transformed = await attack("refused", ...flags, "--eot", "shift");
    expect([transformed.code, transformed.err]).toEqual([1, expect.stringContaining("does not average over random transforms")]);
  });

  it("brings a descent rule, whose state goes from step to step", async () => {
    const flags = ["--plugin", "both-gradients.mjs", "--attack", "pgd,both-gradients", "--steps", "5", "--random-start", "none"];
    const { code, err } = await attack("rules", ...flags, "--no-audit", "--reference", "prediction");
    expect(code, err).toBe(0);
    const [pgd, both] = ["pgd", "both-gradients"].map((name) => json("rules", name, "summary.json").loss);
    expect(both.adversarial).toBeGreaterThan(both.clean);
    // the first step is PGD's: there is no gradient before it
    expect(both.adversarial).not.toBe(pgd.adversarial);
  });

  it("is another one when what it imports changes", async () => {
    mkdirSync(folder.path("split"));
    writeFileSync(folder.path("split/strength.mjs"), "export const gain = 1;\n");
    writeFileSync(
      folder.path("split/loss.mjs"),
      `import { mul, taskLoss, tasks } from "faultline";
import { gain } from "./strength.mjs";
export default taskLoss("segmentation", "scaled", (...given) => mul(tasks.segmentation.losses["cross-entropy"](...given), gain));
`,
    );
    const flags = ["--plugin", "split/loss.mjs", "--attack", "pgd", "--loss", "scaled", "--steps", "2", "--no-audit"];
    expect((await attack("split-run", ...flags)).code).toBe(0);
    expect((await attack("split-run", ...flags)).err).toContain("resuming split-run: 2 of 2");
    writeFileSync(folder.path("split/strength.mjs"), "export const gain = 2;\n");
    const changed = await attack("split-run", ...flags);
    expect([changed.code, changed.err]).toEqual([1, expect.stringContaining("holds a run with other settings")]);
    const whole = await attack("none", "--plugin", "split", "--attack", "pgd");
    expect([whole.code, whole.err]).toEqual([
      1,
      "faultline: --plugin split: this is a folder; name the module in it, such as split/my-attack.mjs.\n",
    ]);
  });

  it("trains against its attack, and notices when the module changes", async () => {
    copyFileSync(root("examples/plugins/wavering-pgd.mjs"), plugin("adversary"));
    const config = {
      task: "segmentation",
      plugins: ["adversary.mjs"],
      network: { family: "unet", width: 4, levels: 1, outputChannels: 9, normalization: "batch", output: "plain" },
      data: { kind: "synthetic", size: 16, length: 4, seed: 1 },
      batch: 2,
      steps: 2,
      optimizer: { name: "sgd", learningRate: 0.01 },
      adversary: { attack: "wavering-pgd", epsilon: "8/255", steps: 1, sharpness: 2 },
    };
    writeFileSync(folder.path("config.json"), JSON.stringify(config));
    const { code, err } = await faultline("train", "config.json", "--out", "trained", "--threads", "1");
    expect(code, err).toBe(0);
    expect(json("trained", "run.json").config.adversary).toMatchObject({ attack: "wavering-pgd", sharpness: 2 });
    appendFileSync(plugin("adversary"), "// another one now\n");
    const changed = await faultline("train", "config.json", "--out", "trained", "--threads", "1");
    expect([changed.code, changed.err]).toEqual([1, expect.stringContaining("holds a run with other settings")]);
  });

  const returning = (outcome: string) =>
    `import { compileEvaluation, defineAttack, z } from "faultline";
export default defineAttack({ name: "own", source: "none", summary: "none", follows: "predictions", parameters: z.strictObject({}),
  budget: () => ({ norm: "l_2" }),
  compile: async (engine, _, model) => ({ ...(await compileEvaluation(engine, model)), run: async (batch) => ${outcome} }) });`;
  const faulty: readonly (readonly [what: string, text: string, flags: readonly string[], sentence: RegExp])[] = [
    [
      "a loss that throws",
      'import { taskLoss } from "faultline";\nexport default taskLoss("segmentation", "own", (p) => p.nothing.at(0));',
      ["--loss", "own"],
      /--plugin faulty\.mjs, line 2: TypeError: .*'at'/,
    ],
    [
      "a loss for each channel",
      'import { taskLoss } from "faultline";\nexport default taskLoss("segmentation", "own", (p) => p);',
      ["--loss", "own"],
      /The loss "own" returns float32 \[(\d), 5, 12, 14\] .*one float32 for each pixel is due, \[\1, 12, 14\]/,
    ],
    [
      "an attack that throws when it runs",
      `import { compileEvaluation, defineAttack, z } from "faultline";
export default defineAttack({ name: "own", source: "none", summary: "none", follows: "predictions", parameters: z.strictObject({}),
  budget: () => ({ norm: "l_2" }),
  compile: async (engine, _, model) => ({ ...(await compileEvaluation(engine, model)), run: async () => undefined.x }) });`,
      ["--attack", "own"],
      /--plugin faulty\.mjs, line 4: TypeError: .*'x'/,
    ],
    [
      "an attack that gives back nothing",
      returning("({})"),
      ["--attack", "own"],
      /own gave back no image "image"; see what run\(\) owes in docs\/adding-an-attack\.md\./,
    ],
    [
      "an attack whose images leave [0, 1]",
      returning("({ images: { image: { ...batch.images.image, data: batch.images.image.data.map((v) => 255 * v) } } })"),
      ["--attack", "own"],
      /own gave back values of "image" that are not in \[0, 1\]/,
    ],
    [
      "an attack that says nothing of the predictions",
      returning("({ images: batch.images })"),
      ["--attack", "own"],
      /own gave back no prediction for each of \d images/,
    ],
  ];
  it.each(faulty)("with %s is told as the fault of the module", async (_, text, flags, sentence) => {
    writeFileSync(plugin("faulty"), text);
    const { code, err } = await attack("faulty", "--plugin", "faulty.mjs", ...flags);
    expect([code, err]).toEqual([1, expect.stringMatching(sentence)]);
    expect(err).not.toContain("defect worth reporting");
  });

  const bad: readonly (readonly [what: string, text: string | undefined, sentence: RegExp])[] = [
    ["is not there", undefined, /--plugin bad\.mjs: there is no such file\./],
    ["throws", 'throw new Error("no luck")', /--plugin bad\.mjs: the module cannot be loaded: Error: no luck/],
    ["is no JavaScript", "export default (", /the module cannot be loaded: SyntaxError/],
    ["asks for what there is not", 'import { nope } from "faultline"; export default nope;', /cannot be loaded: .*nope/],
    ["exports nothing", "export const attack = 1;", /there is no default export/],
    ["exports something else", "export default { name: 'x' };", /neither an attack .* nor a loss/],
    ["takes a name that is taken", definition("pgd", "x"), /there is an attack "pgd" already/],
    ["has a name that cannot be typed", definition("My Attack", "x"), /"My Attack" is no name for an attack/],
    ["takes a flag that is taken", definition("mine", "batch"), /mine has a parameter "batch", but --batch is a flag/],
  ];
  it.each(bad)("that %s gets one sentence", async (_, text, sentence) => {
    mkdirSync(folder.path("bad"), { recursive: true });
    if (text !== undefined) writeFileSync(folder.path("bad", "bad.mjs"), text);
    const { code, err } = await new Promise<{ code: number; err: string }>((resolve) => {
      const args = [root("src/app/cli/testing/start.mjs"), "attack", model, "--plugin", "bad.mjs"];
      execFile(process.execPath, args, { cwd: folder.path("bad") }, (error, _out, said) =>
        resolve({ code: Number(error?.code ?? 0), err: said }),
      );
    });
    expect(err).toMatch(sentence);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
  });
});

function definition(name: string, parameter: string): string {
  return `import { defineAttack, z } from "faultline";
export default defineAttack({
  name: ${JSON.stringify(name)}, source: "none", summary: "none", follows: "nothing",
  parameters: z.strictObject({ ${parameter}: z.number().default(1) }),
  budget: () => ({ norm: "l_inf" }),
  compile: async () => { throw new Error("never"); },
});`;
}
