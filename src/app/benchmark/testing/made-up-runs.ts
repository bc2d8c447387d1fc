import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../../engine/tensor/random.js";
import { attacks } from "../../../methods/attacks/catalogue/index.js";
import { type AttackDefinition, attackOf } from "../../../methods/attacks/definition.js";
import { commonCorruptions } from "../../../vision/corruptions/catalogue.js";
import { tasks } from "../../../vision/tasks/index.js";
import { type AttackPlan, planFile, runFormat } from "../../attack/plan.js";
import type { AttackSummary } from "../../attack/summary.js";

/** A finished run that was never run: what tests of reports are made of. Its numbers are drawn by its settings, or given. */
export interface MadeUp {
  readonly model: string;
  readonly attack?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly corruption?: string;
  readonly task?: "segmentation" | "classification" | "flow";
  readonly data?: string;
  readonly length?: number;
  readonly limit?: number;
  readonly seed?: number;
  /** Of the headline metric, clean and under attack. */
  readonly clean?: number | null;
  readonly value?: number | null;
  readonly classes?: number;
  readonly errors?: number;
  readonly audit?: "passed" | "warning" | "failed";
  /** Whether the data set has a truth. */
  readonly truth?: boolean;
  readonly target?: string;
  readonly version?: string;
  /** A PNG that is its one saved image. */
  readonly picture?: Uint8Array;
  /** Classes that the model has, as its records say. */
  readonly ofClasses?: number;
}

const sha = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The plan of such a run, as run.json holds it. */
export function madeUpPlan(run: MadeUp): AttackPlan {
  const { model, attack = "no-attack", corruption, task = "segmentation", data = "photos", length = 100, limit, seed = 0 } = run;
  return {
    command: "attack",
    format: runFormat,
    version: run.version ?? "0.1.0",
    model: { path: `/somewhere/models/${model}.onnx`, sha256: sha(model) },
    spec: {
      task,
      range: "0..1",
      channels: "rgb",
      layout: "nchw",
      size: { rule: "any" },
      output: { layout: "nchw", meaning: tasks[task].output.meanings[0]!, scale: 1, range: "0..1", channels: "rgb" },
      ignore: [],
      labelOffset: 0,
    },
    data: {
      path: `/somewhere/data/${data}`,
      ...(corruption !== undefined && { corruption }),
      sha256: sha(`${data} ${length} ${corruption ?? ""}`),
      length,
      ...(limit !== undefined && { limit }),
    },
    fit: { mismatch: "pad" },
    attack: attackOf((attacks as Readonly<Record<string, AttackDefinition>>)[attack]!, run.parameters ?? {}),
    threat: { scale: 1 },
    goal: run.target === undefined ? { kind: "untargeted" } : { kind: "targeted", target: run.target },
    reference: "truth",
    save: "8-bit",
    batch: 1,
    seed,
    runtime: { provider: "cpu", runtime: "onnxruntime-node 1.30.0", threads: 1, optimization: "all" },
  };
}

/** Writes run.json, summary.json, audit.json and records.jsonl of a run into a folder. */
export function writeMadeUpRun(folder: string, run: MadeUp): void {
  const plan = madeUpPlan(run);
  const random = new Random(1, JSON.stringify(run));
  const clean = run.clean === undefined ? random.uniform(0.6, 0.8) : run.clean;
  const value = run.value === undefined ? (run.attack === undefined ? clean : random.uniform(0, 0.5)) : run.value;
  const { headline } = tasks[plan.spec.task].measure({ classes: 2, ignore: [], output: plan.spec.output });
  const of = (v: number | null) => ({
    [headline.name]: v,
    ...Object.fromEntries(
      Array.from({ length: run.classes ?? 0 }, (_, k) => [`IoU class ${k}`, (v ?? 0) * random.uniform(0, 1)]),
    ),
  });
  const stages = { clean: of(clean), adversarial: of(value), saved: of(value) };
  const summary: AttackSummary = {
    format: runFormat,
    samples: (run.limit ?? run.length ?? 100) - (run.errors ?? 0),
    errors: Array.from({ length: run.errors ?? 0 }, (_, index) => ({ index, sample: `photo_${index}`, error: "cannot be read" })),
    headline,
    metrics: run.truth === false ? { prediction: stages } : { truth: stages, prediction: stages },
    loss: { clean: 0.5, adversarial: 2, saved: 2 },
    gradient: { zero: 0, notFinite: 0 },
    curve: [0.5, 1, 2],
    perturbation: { l_inf: 8 / 255, l_2: 1, l_1: 10, l_0: 100 },
  };
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: unknown) => writeFileSync(join(folder, name), `${JSON.stringify(content)}\n`);
  write("run.json", planFile(plan));
  write("summary.json", summary);
  if (run.attack !== undefined)
    write("audit.json", [
      { name: "stronger with more steps", verdict: run.audit ?? "passed", sentence: "More steps change little.", numbers: {} },
    ]);
  const score = { value, detail: null };
  const scores = {
    clean: { truth: { ...score, value: clean }, prediction: score },
    adversarial: { truth: score, prediction: score },
  };
  const classes = run.ofClasses === undefined ? {} : { classes: run.ofClasses };
  if (run.picture) {
    mkdirSync(join(folder, "images"), { recursive: true });
    writeFileSync(join(folder, "images", "photo_0.png"), run.picture);
  }
  write("records.jsonl", {
    ...{ index: 0, sample: "photo_0", ...classes, loss: summary.loss, scores },
    ...(run.picture && { files: { image: "images/photo_0.png" } }),
  });
}

/**
 * A whole grid: models x (clean, attacks at several radii, all of ImageNet-C), 100 runs for each model.
 *
 * @returns how many runs were written.
 */
export function writeMadeUpGrid(folder: string, models: number, picture?: Uint8Array): number {
  const radii = [1, 2, 4, 8].map((levels) => levels / 255);
  const attacked = ["fgsm", "bim", "pgd", "segpgd", "cospgd", "apgd"].flatMap((attack) =>
    radii.map((epsilon): Omit<MadeUp, "model"> => ({ attack, parameters: { epsilon } })),
  );
  const corrupted = commonCorruptions.flatMap((kind) =>
    [1, 2, 3, 4, 5].map((severity) => ({ corruption: `${kind}:${severity}` })),
  );
  const cells: Omit<MadeUp, "model">[] = [{}, ...attacked, ...corrupted];
  let written = 0;
  for (let m = 0; m < models; m++) {
    const random = new Random(2, `model ${m}`);
    const clean = random.uniform(0.6, 0.8);
    for (const cell of cells) {
      const { epsilon = 0 } = (cell.parameters ?? {}) as { readonly epsilon?: number };
      const value = cell.corruption ? clean * random.uniform(0.4, 0.9) : clean / (1 + 255 * epsilon * random.uniform(0.3, 1));
      writeMadeUpRun(join(folder, `run-${String(written).padStart(5, "0")}`), {
        ...cell,
        model: `network-${m}`,
        clean: cell.corruption ? value : clean,
        value,
        classes: 21,
        ...(picture && { picture }),
        audit: random.uniform(0, 1) < 0.02 ? "failed" : "passed",
      });
      written++;
    }
  }
  return written;
}
