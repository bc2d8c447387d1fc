import type { Finish } from "../../attack/finish.js";
import { type Bounded, thresholdsOf } from "../../attack/thresholds.js";
import { toStandardError } from "../../runs/progress.js";
import { boundsOf, type ReportFlags } from "../report-options.js";

/**
 * What the flags say of a finished run.
 *
 * @throws UsageError for bounds on metrics that the task has not.
 */
export function finishOf(flags: ReportFlags & { readonly audit?: boolean }, about: Bounded): Finish {
  return {
    audit: flags.audit === false ? "skipped" : "run",
    assets: flags.assets,
    print: flags.json ? "json" : flags.quiet ? "problems only" : "text",
    allowAudit: flags.allowAudit ?? false,
    allowFailed: flags.allowFailed ?? false,
    thresholds: thresholdsOf(boundsOf(flags), about),
    say: flags.quiet ? () => {} : toStandardError,
  };
}
