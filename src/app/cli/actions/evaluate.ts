import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { completeSpec } from "../../../vision/spec/model-predictor.js";
import { tasks } from "../../../vision/tasks/index.js";
import { runFormat } from "../../attack/plan.js";
import { readPlan } from "../../attack/reopen.js";
import { compareRuns } from "../../compare/runs.js";
import { writeComparison } from "../../compare/write.js";
import { readCorruption } from "../../data/corruption.js";
import { cardOf, cardText } from "../../evaluate/card.js";
import { cellsOf, demandTask, readSuite, type Suite } from "../../evaluate/suite.js";
import { hashFile, shortHash } from "../../hash-file.js";
import { nameOfModel } from "../../name-of-model.js";
import { loadPlugins } from "../../plugins/plugins.js";
import { readPredicting } from "../../read-predicting.js";
import { shortPath } from "../../report/words.js";
import { attackTyped } from "../attack-flags.js";
import type { EvaluateFlags } from "../commands/evaluate.js";
import { UsageError } from "../errors.js";
import { version } from "../version.js";
import { attackDataset } from "./attack.js";
import { withEngine } from "./engine.js";
import { resolveSpec, sayAssumed } from "./spec.js";

/** `faultline evaluate model.onnx --suite dense-v1 --data DIR` */
export async function evaluate(path: string | undefined, flags: EvaluateFlags): Promise<number> {
  if (flags.printSuite !== undefined) {
    process.stdout.write(`${JSON.stringify(readSuite(flags.printSuite), undefined, 2)}\n`);
    return 0;
  }
  if (!path) throw new UsageError("name a model, and a suite with --suite.");
  if (!flags.data) throw new UsageError("name the images with --data DIR.");
  if (!flags.suite) throw new UsageError("name a suite with --suite; faultline evaluate --help lists them.");
  const plugins = await loadPlugins(flags.plugin);
  const { spec: said, assumed } = resolveSpec(path, flags);
  const suite = withFrost(readSuite(flags.suite), flags);
  demandTask(suite, tasks[said.task]);
  const cells = cellsOf(suite, flags.frost);
  // Everything that a suite's file can get wrong is found before anything runs.
  const attacks = cells.map((cell) => attackTyped(cell.attack, cell.parameters, plugins.attacks));
  for (const { corruption } of cells) if (corruption !== undefined) await readCorruption(corruption);
  const model = await readPredicting(path, said);
  const spec = completeSpec(model, said);
  const root = flags.out ?? join("runs", `${nameOfModel(path)}-${suite.name}-${await settingsOf(path, suite, flags)}`);
  if (existsSync(join(root, "run.json")))
    throw new UsageError(`${root} is the run of one attack; name another directory with --out.`);
  if (!flags.quiet) sayAssumed(assumed, path);
  return withEngine(flags, async (engine) => {
    for (const [i, cell] of cells.entries()) {
      if (!flags.quiet) process.stderr.write(`${i + 1} of ${cells.length}: ${cell.name}\n`);
      const own = {
        ...usual,
        ...flags,
        attack: cell.attack,
        ...(cell.corruption && { corruption: cell.corruption }),
        out: join(root, cell.name),
      };
      // Where nothing may change there is nothing to audit.
      const audit = attacks[i]!.budget.epsilon !== 0;
      const code = await attackDataset(
        { engine, model, plugins },
        attacks[i]!,
        path,
        spec,
        assumed,
        { ...own, audit, quiet: true },
        {
          print: "problems only",
          of: `${cell.name}: `,
        },
      );
      if (code === 130) {
        process.stderr.write(`${i} of ${cells.length} runs are done; repeat the command to go on\n`);
        return code;
      }
    }
    mkdirSync(root, { recursive: true });
    const sweep = { command: "sweep", format: runFormat, runs: cells.map((c) => c.name) };
    writeFileSync(join(root, "sweep.json"), `${JSON.stringify(sweep, undefined, 2)}\n`);
    const comparison = await compareRuns([root]);
    const report = writeComparison(comparison, root);
    const { plan } = await readPlan(join(root, cells[0]!.name), flags.plugin);
    const card = cardOf(
      comparison,
      cells.map((cell, i) => ({ name: cell.name, attack: cell.attack, corruption: cell.corruption, row: comparison.rows[i]! })),
      {
        version,
        suite,
        model: { name: nameOfModel(path), sha256: plan.model.sha256 },
        data: { name: shortPath(plan.data.path), sha256: plan.data.sha256, samples: comparison.rows[0]!.summary.samples },
      },
    );
    const json = `${JSON.stringify(card, undefined, 2)}\n`;
    writeFileSync(join(root, "card.json"), json);
    writeFileSync(join(root, "card.md"), cardText(card));
    if (flags.json) process.stdout.write(json);
    else if (!flags.quiet) process.stdout.write(`${cardText(card)}\n${report}\n`);
    return card.audits.failed.length > 0 ? 1 : 0;
  });
}

/** What `attack` takes where nothing is said. */
const usual = { assets: "inline", reference: "truth", save: "8-bit", allowAudit: true } as const;

/** Without photographs of frost, the corruption that computes it; and that is said. */
function withFrost(suite: Suite, { frost, quiet }: EvaluateFlags): Suite {
  if (!suite.corruptions?.kinds.includes("frost")) {
    if (frost !== undefined) throw new UsageError(`--frost ${frost}: suite ${suite.name} has no frost; leave it out.`);
    return suite;
  }
  if (frost !== undefined) return suite;
  if (!quiet)
    process.stderr.write(
      "procedural_frost takes the place of frost, which needs photographs (--frost DIR); its number is not ImageNet-C's\n",
    );
  const kinds = suite.corruptions.kinds.map((kind) => (kind === "frost" ? "procedural_frost" : kind));
  return { ...suite, corruptions: { ...suite.corruptions, kinds } };
}

/** The same model, suite and flags have the same name. */
async function settingsOf(path: string, suite: Suite, flags: EvaluateFlags): Promise<string> {
  const { out: _, json: __, quiet: ___, suite: ____, ...deciding } = { ...flags, data: flags.data && resolve(flags.data) };
  return shortHash([await hashFile(path), suite, deciding]);
}
