import { describe, expect, it } from "vitest";
import { tensor } from "../../engine/tensor/tensor.js";
import { attacks } from "../../methods/attacks/catalogue/index.js";
import { listOf } from "../../vision/tasks/detection/boxes.js";
import { tasks } from "../../vision/tasks/index.js";
import { type Finding, good, unsure, wrong } from "../doctor/finding.js";
import { noPlugins } from "../plugins/plugins.js";
import type { Evidence, Trial } from "./audit/evidence.js";
import { fedWell } from "./audit/feeding.js";
import { usableGradients } from "./audit/gradients.js";
import { audit, type Check } from "./audit.js";
import { type AttackPlan, planFileSchema, planOf } from "./plan.js";
import type { AttackRecord } from "./run-attack.js";

const plan: AttackPlan = planOf(
  planFileSchema.parse({
    command: "attack",
    version: "0",
    model: { path: "m.onnx", sha256: "abc" },
    spec: { ignore: [255, -1], task: "segmentation", output: { meaning: "logits" } },
    data: { path: "d", length: 2 },
    fit: { mismatch: "pad" },
    attack: { name: "cospgd", epsilon: 8 / 255, steps: 10 },
    threat: { scale: 1 },
    goal: { kind: "untargeted" },
    reference: "truth",
    batch: 1,
    seed: 0,
    runtime: { provider: "cpu", runtime: "onnxruntime-node 1.30.0", threads: 2, optimization: "all" },
  }),
  noPlugins,
);

const scores = (value: number, confusion: readonly (readonly number[])[] = [[0, 0, 16]]) => ({
  truth: { value, detail: { confusion, pixels: 16 } },
  prediction: { value, detail: { confusion, pixels: 16 } },
});

const record = (index: number, changes: Partial<AttackRecord> = {}): AttackRecord => ({
  index,
  sample: `s${index}`,
  size: [4, 4],
  classes: 2,
  loss: { clean: 0.1, steps: [0.2, 0.6, 1, 1.4, 1.8, 2, 2, 2, 2, 2], adversarial: 2, saved: 1.95 },
  scores: { clean: scores(1), adversarial: scores(0), saved: scores(0) },
  perturbation: { image: { l_inf: 8 / 255, l_2: 0.1, l_1: 0.5, l_0: 48 } },
  gradient: { zero: 0, nan: 0 },
  files: { image: "images/000000.png" },
  ...changes,
});

const trial = (changes: Partial<Trial> = {}): Trial => ({
  sample: "s0",
  clean: 0.1,
  attack: 2,
  start: "elsewhere",
  huge: { loss: 9, correct: 0, steps: 20 },
  noise: { trials: 3, uniform: 0.2, sign: 0.3 },
  weights: [
    { attack: "cospgd", near: "clean", least: 0.2, mean: 0.6, most: 0.9 },
    { attack: "cospgd", near: "adversarial", least: 0, mean: 0.1, most: 0.7 },
  ],
  underflow: 0,
  repeatable: true,
  ...changes,
});

const huge = (loss: number, correct = 0.5) => ({ loss, correct, steps: 20 });

const resolution = good("resolution", "Predictions take enough values to tell things apart.");

const sound: Evidence = {
  records: [record(0), record(1)],
  files: [
    { sample: "s0", size: 8 / 255, trespass: false },
    { sample: "s1", size: 8 / 255, trespass: false },
  ],
  trials: [trial()],
  blackBox: [{ sample: "s0", attack: 1.9, blackBox: 0.4, won: false, queries: 100 }],
  levels: { sample: "s0", gradient: 1e-6 },
  feeding: {
    findings: [good("range", "0..1 does best."), good("channel order", "rgb does best.")],
    resolution,
    labeled: true,
    samples: 2,
  },
  modelHash: "abc",
};

const find = (name: string, evidence: Partial<Evidence>, of: AttackPlan = plan): Check => {
  const check = audit(of, { ...sound, ...evidence }).find((c) => c.name === name);
  if (!check) throw new Error(`no check "${name}"`);
  return check;
};
const targeted: AttackPlan = { ...plan, goal: { kind: "targeted", target: "0" } };

describe("audit", () => {
  it("passes a run that has nothing wrong with it", () => {
    const checks = audit(plan, sound);
    expect(checks.filter((c) => c.verdict !== "passed").map((c) => [c.name, c.verdict])).toEqual([]);
    expect(checks).toHaveLength(17);
    for (const c of checks) expect(c.sentence).toMatch(/[.]$/);
  });

  it("judges by what the doctor finds of the way in which the model is fed", () => {
    const name = "The model is fed what it expects";
    const findings = (...list: Finding[]) => ({ feeding: { findings: list, resolution, labeled: true, samples: 2 } });
    expect(find(name, findings(wrong("range", "With 0..255 it does better.", "--range", "0..255")))).toMatchObject({
      verdict: "failed",
      sentence: expect.stringContaining("(--range 0..255)"),
    });
    const open = findings(unsure("range", "Cannot be told."));
    expect(find(name, open).verdict).toBe("not applicable");
    expect(fedWell({ ...plan, assumed: ["range"] }, open.feeding)).toMatchObject({
      verdict: "warning",
      sentence: expect.stringContaining("value range 0..1 (--range)"),
    });
    const blind = { findings: [], resolution, labeled: false, samples: 2 };
    expect(fedWell({ ...plan, assumed: ["range"] }, blind).sentence).toContain("no labels");
  });

  it("fails predictions that tell nothing apart, by the doctor's finding or by the records of all samples", () => {
    const name = "Predictions tell things apart";
    const feeding = { ...sound.feeding!, resolution: wrong("resolution", "All scores are 0.", "--of", "y") };
    expect(find(name, { feeding })).toMatchObject({ verdict: "failed", sentence: expect.stringContaining("All scores are 0.") });
    const tied = { levels: { tied: 1 } };
    expect(find(name, { records: [record(0, tied), record(1, tied)] })).toMatchObject({
      verdict: "failed",
      sentence: expect.stringMatching(/^Everywhere two classes or more share the largest value/),
    });
    expect(find(name, { records: [record(0, { levels: { tied: 0.3 } }), record(1)] }).verdict).toBe("passed");
  });

  it("sees an attack that finds nothing", () => {
    const still = { loss: { clean: 1, steps: new Array(10).fill(1), adversarial: 0.9, saved: 0.9 } };
    expect(find("Loss moves with the steps", { records: [record(0, still), record(1, still)] }).verdict).toBe("failed");
    expect(find("Loss moves with the steps", { records: [record(0, still), record(1)] }).verdict).toBe("warning");
    // A search that follows no gradient gets no advice about one.
    const definition = { ...plan.attack.definition, follows: "predictions" } as unknown as typeof plan.attack.definition;
    const blind: AttackPlan = { ...plan, attack: { ...plan.attack, definition } };
    const advice = find("Loss moves with the steps", { records: [record(0, still)] }, blind).sentence;
    expect(advice).toContain("a search in predictions alone");
    expect(advice).not.toContain("not to be trusted");
    // Towards a target the loss is to fall.
    expect(find("Loss moves with the steps", { records: [record(0, still)] }, targeted).verdict).toBe("passed");
    expect(find("Loss moves with the steps", {}, targeted).verdict).toBe("failed");
  });

  it("sees an attack that chance beats", () => {
    expect(find("Beats random noise", { trials: [trial(), trial({ noise: { trials: 3, uniform: 0, sign: 2 } })] }).verdict).toBe(
      "failed",
    );
    const down = trial({ clean: 2, attack: 0.1, huge: huge(0.01), noise: { trials: 3, uniform: 1.9, sign: 1.8 } });
    expect(find("Beats random noise", { trials: [down] }, targeted).verdict).toBe("passed");
    expect(find("Beats random noise", { trials: [{ ...down, attack: 1.95 }] }, targeted).verdict).toBe("failed");
    expect(find("Beats random noise", {}, { ...plan, attack: attacks.noise() }).verdict).toBe("not applicable");
  });

  it("sees a ball that does not help", () => {
    const name = "A huge radius goes further";
    expect(find(name, { trials: [trial({ huge: huge(2.01) })] }).verdict).toBe("warning");
    expect(find(name, { trials: [trial({ huge: huge(1.5) })] })).toMatchObject({
      verdict: "failed",
      sentence: expect.stringContaining("at most 20 steps"),
    });
    // Where hardly a pixel is right any more, the loss need not be higher.
    expect(find(name, { trials: [trial({ huge: huge(1.5, 0.005) })] }).verdict).toBe("passed");
    // At the target nothing is left to gain.
    const there = trial({ clean: 2, attack: 0.001, huge: huge(0.002) });
    expect(find(name, { trials: [there] }, targeted).verdict).toBe("passed");
    expect(find(name, { trials: [trial({ clean: 2, attack: 0.5, huge: huge(0.6, 0.995) })] }, targeted).verdict).toBe("passed");
    expect(find(name, { trials: [trial({ clean: 2, attack: 0.5, huge: huge(0.6) })] }, targeted).verdict).toBe("failed");
  });

  it("does not judge by a huge radius where only a region may change", () => {
    const region: AttackPlan = { ...plan, threat: { ...plan.threat, region: "mask.png" } };
    expect(find("A huge radius goes further", { trials: [trial({ huge: huge(1.5) })] }, region)).toMatchObject({
      verdict: "warning",
      sentence: expect.stringContaining("cannot tell"),
    });
  });

  it("sees steps that are too long, too short or too few", () => {
    const path = (steps: number[], adversarial: number) => ({
      records: [record(0, { loss: { clean: 0.1, steps, adversarial, saved: adversarial } })],
    });
    expect(find("Step size suits the budget", path([1, 2, 1, 2, 1, 2, 1, 2, 1, 2], 1)).verdict).toBe("warning");
    const short = { records: [record(0, { perturbation: { image: { l_inf: 2 / 255, l_2: 0, l_1: 0, l_0: 0 } } })] };
    // Ten steps of 0.01 could have reached the edge; that they did not is no fault of their length.
    expect(find("Step size suits the budget", short)).toMatchObject({
      verdict: "passed",
      sentence: expect.stringContaining("25 %"),
    });
    expect(find("Enough steps", path([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 10)).verdict).toBe("warning");
    expect(find("Enough steps", {}).verdict).toBe("passed");
    // An attack that leaves a sample alone once it has won takes few steps there, or none where it was wrong already.
    const brief = (steps: number[]) => record(1, { loss: { clean: 0.1, steps, adversarial: 2, saved: 2 } });
    for (const steps of [[1.5], []])
      for (const name of ["Enough steps", "Step size suits the budget"]) {
        const check = find(name, { records: [record(0), brief(steps)] });
        expect(check).toMatchObject({ verdict: "passed", sentence: expect.not.stringContaining("NaN") });
        for (const number of Object.values(check.numbers!)) expect(Number.isFinite(number)).toBe(true);
      }
  });

  it("sees gradients that are not to be used", () => {
    const gradient = (zero: number, nan: number) => ({ records: [record(0, { gradient: { zero, nan } }), record(1)] });
    expect(find("Gradients are usable", gradient(0, 0.01)).verdict).toBe("failed");
    expect(find("Gradients are usable", gradient(1, 0)).verdict).toBe("warning");
    expect(find("Gradients are usable", { records: [record(0, { gradient: { zero: 1, nan: 0 } })] }).verdict).toBe("failed");
    const flow: AttackPlan = { ...plan, spec: { ...plan.spec, task: "flow" }, attack: attacks.fgsm() };
    const flat = record(0, { gradient: { zero: 1, nan: 0 }, loss: { clean: 0, steps: [0], adversarial: 0, saved: 0 } });
    expect(usableGradients(flow, [flat], [trial({ start: "clean" })]).sentence).toContain("random start");
    expect(find("Gradients are usable", { trials: [trial({ underflow: 0.3 })] }).verdict).toBe("warning");
    expect(find("Gradient does not depend on the optimizer", { levels: { sample: "s", gradient: 0.01 } }).verdict).toBe(
      "warning",
    );
    expect(find("Gradient does not depend on the optimizer", { levels: { sample: "s", gradient: 0.4 } }).verdict).toBe("failed");
    expect(find("Gradient does not depend on the optimizer", { levels: { sample: "s", gradient: Number.NaN } }).verdict).toBe(
      "failed",
    );
    expect(find("Predictions repeat", { trials: [trial({ repeatable: false })] }).verdict).toBe("warning");
  });

  it("says what to use where the alignment is constant", () => {
    const flat = trial({ weights: trial().weights.map((w) => ({ ...w, least: 1, most: 1 })) });
    const disparity: AttackPlan = { ...plan, spec: { ...plan.spec, task: "disparity" } };
    expect(find("Pixel weights differ", { trials: [flat], records: [] }, disparity)).toMatchObject({
      verdict: "warning",
      sentence: expect.stringContaining("--alignment residual"),
    });
    expect(find("Pixel weights differ", { trials: [trial({ weights: [] })] }).verdict).toBe("not applicable");
  });

  it("sees files that are not those of the run", () => {
    const file = (changes: object) => ({ files: [{ ...sound.files[0]!, ...changes }] });
    expect(find("Saved images lie in the ball", file({ size: 9 / 255 })).verdict).toBe("failed");
    expect(find("Saved images lie in the ball", file({ trespass: true })).verdict).toBe("failed");
    expect(find("Saved images lie in the ball", file({ problem: "is gone" })).sentence).toContain("s0: is gone");
    expect(find("Setting is on record", { modelHash: "other" }).verdict).toBe("failed");
  });

  it("sees attacks that rounding undoes", () => {
    const lost = (saved: number) => record(0, { loss: { ...record(0).loss!, saved } });
    expect(find("Survives 8-bit rounding", { records: [lost(1.7)] }).verdict).toBe("failed");
    expect(find("Survives 8-bit rounding", { records: [lost(1.7), record(1)] }).verdict).toBe("warning");
    expect(find("Survives 8-bit rounding", { records: [lost(1.85)] }).verdict).toBe("passed");
  });

  it("doubts a model that is hardly better than guessing, and samples that failed", () => {
    const guess = (index: number) =>
      record(index, { scores: { clean: scores(0.3, [[0, 1, 16]]), adversarial: scores(0), saved: scores(0) } });
    expect(find("The model works on clean images", { records: [guess(0)] }).verdict).toBe("warning");
    const detecting: AttackPlan = { ...plan, spec: { ...plan.spec, task: "detection" } };
    const measure = tasks.detection.measure({ classes: 1, ignore: [] });
    const boxAt = (x: number) => {
      const object = listOf([{ x1: 0, y1: 0, x2: 8, y2: 8, label: 0 }]);
      const found = measure.sample(tensor("float32", [5, 1], [x, 0, x + 8, 8, 3]), object, undefined);
      const all = { truth: found, prediction: found };
      return find(
        "The model works on clean images",
        { records: [record(0, { scores: { clean: all, adversarial: all, saved: all } })] },
        detecting,
      );
    };
    expect(boxAt(0)).toMatchObject({ verdict: "passed" });
    expect(boxAt(40)).toMatchObject({
      verdict: "warning",
      sentence: expect.stringContaining("mAP50 0 %: the model finds next to nothing"),
    });
    expect(
      find("All samples finished", { records: [record(0), { index: 1, sample: "s1", error: "is no picture." }] }),
    ).toMatchObject({
      verdict: "warning",
      sentence: expect.stringContaining("s1: is no picture"),
    });
  });
});
