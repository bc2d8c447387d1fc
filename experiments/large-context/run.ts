/**
 * Trains small segmentation and deblurring networks with transposed convolutions of different size, and attacks them.
 * Finished rows are kept in results/rows.json, so that an interrupted run goes on.
 *
 * Run from the repository's root: npx tsx experiments/large-context/run.ts [configuration.json]
 */
import { writeReport } from "../shared/report.js";
import { readStudy, runStudy } from "../shared/study.js";

const { config, results } = readStudy("experiments/large-context");
await writeReport(results, config, await runStudy(config, results));
