/**
 * Trains small restoration networks on synthetic motion blur, plainly and against FGSM, and attacks them. Finished rows are kept in
 * results/rows.json, so that an interrupted run goes on.
 *
 * Run from the repository's root: npx tsx experiments/restoration-robustness/run.ts [configuration.json]
 */
import { writeReport } from "../shared/report.js";
import { readStudy, runStudy } from "../shared/study.js";

const { config, results } = readStudy("experiments/restoration-robustness");
await writeReport(results, config, await runStudy(config, results));
