import { join } from "node:path";
import { writeImage } from "../../vision/data/node/image-file.js";
import { flowWheel } from "../../vision/render/index.js";
import { withoutAssumed } from "../../vision/spec/assumptions.js";
import type { Check } from "../attack/audit.js";
import type { AttackContext, AttackRecord } from "../attack/run-attack.js";
import { summarize } from "../attack/summary.js";
import type { RunDirectory } from "../runs/run-directory.js";
import { headline } from "./headline.js";
import { page } from "./page.js";
import { chooseSamples, drawSpecimens } from "./specimens.js";

/**
 * Writes report.html, the pictures it shows (`report/`) and spec.json into a finished run's directory. The page works wherever the directory
 * is moved, without a network and without scripts.
 */
export async function writeReport(
  context: AttackContext,
  run: RunDirectory<AttackRecord>,
  checks: readonly Check[],
): Promise<void> {
  const { plan } = context;
  const records = [...run.records].sort((a, b) => a.index - b.index);
  const summary = summarize(plan, records);
  const number = headline(plan, summary, records);
  const chosen = chooseSamples(records, number, plan.goal.kind);
  const specimens = await drawSpecimens(context, run.path, chosen.whole);
  if (specimens.some((s) => s.legend?.kind === "wheel")) await writeImage(join(run.path, "report/wheel.png"), flowWheel(108));
  run.write("spec.json", `${JSON.stringify(withoutAssumed(plan.spec, plan.assumed ?? []), undefined, 2)}\n`);
  run.write("report.html", page({ plan, summary, number, records, checks, specimens, others: chosen, path: run.path }));
}
