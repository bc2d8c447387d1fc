import { Command } from "commander";
import { pluginOption } from "../attack-options.js";
import { parsePositiveInteger } from "../model-options.js";
import { type ReportFlags, withReport } from "../report-options.js";

export interface AuditFlags extends ReportFlags {
  readonly samples: number;
  readonly plugin?: string[];
}

/** `faultline audit RUN` */
export function auditCommand(): Command {
  return withReport(
    new Command("audit")
      .description("Check whether the numbers of an attack run can be believed; writes audit.json and report.html anew.")
      .argument("<run>", "run directory of a finished attack")
      .option("--samples <n>", "how many samples are attacked again", parsePositiveInteger, 4)
      .addOption(pluginOption("where a module of the run's lies now, if it was moved; repeatable")),
  )
    .addHelpText("after", "\nThe exit code is 1 when a check failed, 2 when a bound is missed, 3 when samples of the run failed.")
    .action(async (path: string, flags: AuditFlags) => (await import("../actions/audit.js")).audit(path, flags));
}
