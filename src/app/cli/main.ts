import { Command, CommanderError } from "commander";
import { attackCommand } from "./commands/attack.js";
import { auditCommand } from "./commands/audit.js";
import { compileCommand } from "./commands/compile.js";
import { convertCommand } from "./commands/convert.js";
import { corruptCommand } from "./commands/corrupt.js";
import { criticalityCommand } from "./commands/criticality.js";
import { doctorCommand } from "./commands/doctor.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { gradCommand } from "./commands/grad.js";
import { inspectCommand } from "./commands/inspect.js";
import { mergeCommand } from "./commands/merge.js";
import { reportCommand } from "./commands/report.js";
import { retrofitCommand } from "./commands/retrofit.js";
import { sensorCommand } from "./commands/sensor.js";
import { specCommand } from "./commands/spec.js";
import { spectrumCommand } from "./commands/spectrum.js";
import { sweepCommand } from "./commands/sweep.js";
import { trainCommand } from "./commands/train.js";
import { transferCommand } from "./commands/transfer.js";
import { workerCommand } from "./commands/worker.js";
import { sentenceOf } from "./errors.js";
import { addLateFlags } from "./late-flags.js";
import { type UnknownFlag, unknownFlagText, withUnknownFlags } from "./unknown-flag.js";
import { version } from "./version.js";

/** Every command, fresh. */
export const commands = (): Command[] => [
  inspectCommand(),
  gradCommand(),
  doctorCommand(),
  specCommand(),
  attackCommand(),
  evaluateCommand(),
  sweepCommand(),
  workerCommand(),
  compileCommand(),
  auditCommand(),
  mergeCommand(),
  transferCommand(),
  reportCommand(),
  convertCommand(),
  trainCommand(),
  criticalityCommand(),
  corruptCommand(),
  sensorCommand(),
  retrofitCommand(),
  spectrumCommand(),
];

/** What can follow `faultline`. */
export const commandNames = (): string[] => commands().map((c) => c.name());

/** The command line: `faultline <command>`. Returns the process's exit code; never throws. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command("faultline")
    .description("Finds where a vision model breaks, shows why, and rebuilds it so that it holds.")
    .version(version)
    // What follows a command is the command's: attacks may have a flag --version of their own.
    .enablePositionalOptions()
    .showHelpAfterError("(faultline --help lists the commands)")
    .exitOverride();
  const all = commands();
  let unknown: UnknownFlag | undefined;
  for (const command of all) {
    withUnknownFlags(command, (found) => {
      unknown = found;
    });
    program.addCommand(command.exitOverride());
  }
  try {
    await addLateFlags(all, args);
    await program.parseAsync(["node", "faultline", ...args]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Of all else commander has printed its own sentence already.
      if (unknown) process.stderr.write(await unknownFlagText(unknown, all));
      return error.exitCode;
    }
    process.stderr.write(`faultline: ${sentenceOf(error)}\n`);
    return 1;
  }
}
