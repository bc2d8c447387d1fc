import { Command } from "commander";
import { parsePositiveInteger } from "../model-options.js";

/** `faultline audit RUN` */
export function auditCommand(): Command {
  return new Command("audit")
    .description("Check whether the numbers of an attack run can be believed; writes audit.json and report.html anew.")
    .argument("<run>", "run directory of a finished attack")
    .option("--samples <n>", "how many samples are attacked again", parsePositiveInteger, 4)
    .addHelpText("after", "\nThe exit code is 1 when a check failed.")
    .action(async (path: string, flags: { samples: number }) => (await import("../actions/audit.js")).audit(path, flags));
}
