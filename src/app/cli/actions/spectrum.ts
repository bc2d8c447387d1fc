import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { completeSpec } from "../../../vision/spec/model-predictor.js";
import { namedOutputs } from "../../../vision/spec/model-spec.js";
import { tasks } from "../../../vision/tasks/index.js";
import { usualTasks } from "../../../vision/tasks/names.js";
import { hashModel } from "../../hash-model.js";
import { nameOfModel } from "../../name-of-model.js";
import { pictureFeeds } from "../../picture-feeds.js";
import { loadPlugins, taskWith } from "../../plugins/plugins.js";
import { RunError } from "../../runs/error.js";
import { demandFolder, makeFolder } from "../../runs/folders.js";
import type { Comparison } from "../../spectrum/comparison.js";
import { type SpectrumResult, spectrumOf } from "../../spectrum/result.js";
import { attackTyped } from "../attack-flags.js";
import type { SpectrumFlags } from "../commands/spectrum.js";
import { UsageError } from "../errors.js";
import { columns } from "../table.js";
import { version } from "../version.js";
import { openModel, withEngine } from "./engine.js";
import { isOfImages, resolveSpec, sayAssumed } from "./spec.js";

/** `faultline spectrum model.onnx --data DIR` */
export async function spectrum(path: string | undefined, flags: SpectrumFlags): Promise<void> {
  if (!path) throw new UsageError("name a model, or two runs after compare.");
  const { spec: said, assumed } = resolveSpec(path, flags, flags.attack ? undefined : usualTasks.pictures);
  if (!flags.quiet) sayAssumed(flags.attack ? assumed : assumed.filter(isOfImages), path);
  const out = flags.json && !flags.out ? undefined : (flags.out ?? join("runs", `${nameOfModel(path)}-spectrum`));
  if (out !== undefined) demandFolder(out);
  const plugins = await loadPlugins(flags.plugin);
  const attack = flags.attack === undefined ? undefined : attackTyped(flags.attack, flags, plugins.attacks);
  const result = await withEngine(flags, async (engine): Promise<SpectrumResult> => {
    const { file, graph } = await openModel(path, flags.shape ?? {}, engine, {
      outputs: namedOutputs(said),
    });
    const spec = flags.attack ? completeSpec(file, said) : said;
    const pictures = await pictureFeeds(engine, graph, spec, {
      data: flags.data,
      corruption: flags.corruption,
      count: flags.images,
      seed: flags.seed,
    });
    return {
      version,
      model: { path, sha256: await hashModel(path) },
      pictures: { source: pictures.source, samples: pictures.samples },
      ...(await spectrumOf(engine, file, graph, spec, pictures, attack && { attack, task: taskWith(tasks[spec.task], plugins) })),
    };
  });
  const json = `${JSON.stringify(result, undefined, 2)}\n`;
  if (flags.json) process.stdout.write(json);
  if (out === undefined) return;
  const { reportPage } = await import("../../spectrum/report.js");
  makeFolder(out);
  writeFileSync(join(out, "spectrum.json"), json);
  writeFileSync(join(out, "report.html"), reportPage(result));
  if (!flags.json) process.stdout.write(`${await text(result)}\n${join(out, "report.html")}\n`);
}

async function text({ places, pictures }: SpectrumResult): Promise<string> {
  if (places.length === 0) return "no layer changes the resolution of a map by a whole factor";
  const { measureOf, percent } = await import("../../spectrum/report.js");
  const map = (shape: readonly number[]) => shape.join("x");
  return `${columns(
    ["layer", "form", "map", "share", "of the energy"],
    places.map((p) => [p.node, p.form, `${map(p.before)} -> ${map(p.after)}`, percent(p.share), measureOf(p)]),
  )}\nshare: of all energy, the mean's too (report.html has it without the mean); on ${pictures.source}`;
}

/** `faultline spectrum compare RUN_A RUN_B` */
export async function compare(
  runs: readonly string[],
  { out, json }: { readonly out?: string; readonly json?: boolean },
): Promise<void> {
  if (runs.length < 2) throw new UsageError("a comparison takes at least two runs; name another one.");
  if (out?.endsWith(".html")) throw new UsageError(`--out ${out}: name a folder; report.html and comparison.json go there.`);
  if (out) demandFolder(out);
  const results = runs.map(read);
  const { comparisonOf, comparisonPage } = await import("../../spectrum/comparison.js");
  const comparison = comparisonOf(results);
  const numbers = `${JSON.stringify(comparison, undefined, 2)}\n`;
  process.stdout.write(json ? numbers : await comparisonText(comparison));
  if (!out) return;
  makeFolder(out);
  writeFileSync(join(out, "comparison.json"), numbers);
  writeFileSync(join(out, "report.html"), comparisonPage(comparison, results));
  if (!json) process.stdout.write(`${join(out, "report.html")}\n`);
}

async function comparisonText({ models, layers }: Comparison): Promise<string> {
  const { noSuchLayer } = await import("../../spectrum/comparison.js");
  const { percent } = await import("../../spectrum/report.js");
  const lines = layers.map(({ layer, shares }) => [
    layer,
    ...shares.map((share) => (share === undefined ? "-" : percent(share))),
  ]);
  const missing = layers.some(({ shares }) => shares.includes(undefined)) ? `- ${noSuchLayer}\n` : "";
  return `${columns(["layer", ...models], lines)}\n${missing}`;
}

function read(run: string): SpectrumResult {
  const file = run.endsWith(".json") ? run : join(run, "spectrum.json");
  try {
    const result = JSON.parse(readFileSync(file, "utf8")) as SpectrumResult;
    if (Array.isArray(result.places)) return result;
  } catch {
    // said below
  }
  throw new RunError(`${run} holds no spectrum (no readable ${file}); make one with faultline spectrum MODEL.`);
}
