import { Command, InvalidArgumentError } from "commander";
import { corruptions } from "../../../vision/corruptions/catalogue.js";
import { type Severity, severities } from "../../../vision/corruptions/corruption.js";
import { parseInteger, withQuiet } from "../model-options.js";

export interface CorruptFlags {
  readonly kind: readonly string[];
  readonly severity: readonly Severity[];
  readonly seed: number;
  readonly pictures?: string;
  readonly out: string;
  readonly quiet?: true;
}

/** `faultline corrupt --kind fog --severity 3 DIR -o OUT` */
export function corruptCommand(): Command {
  const longest = Math.max(...Object.keys(corruptions).map((name) => name.length));
  const line = ({ name, family, summary }: (typeof corruptions)[string]) =>
    `  ${name.padEnd(longest)}  ${summary}${family === "extra" ? " (extra)" : family === "own" ? " (not of ImageNet-C)" : ""}`;
  return withQuiet(new Command("corrupt"))
    .description("Write pictures as noise, blur, weather and compression leave them: the common corruptions of ImageNet-C.")
    .argument("<pictures>", "a picture, or a folder of them (with the folders in it)")
    .requiredOption("--kind <names>", "fog, or several (fog,snow); common = ImageNet-C's fifteen", parseKinds)
    .requiredOption("--severity <levels>", "1 (weak) to 5 (strong), or several (1,3,5); all", parseSeverities)
    .requiredOption("-o, --out <dir>", "where to write PNG files; KIND/SEVERITY/ within it where there are several")
    .option("--seed <n>", "seed of what is random", parseInteger, 0)
    .option("--pictures <dir>", "photographs of frost, for --kind frost")
    .addHelpText(
      "after",
      `
Kinds:
${Object.values(corruptions).map(line).join("\n")}

Examples: faultline corrupt photos --kind fog --severity 3 -o photos-fog
          faultline corrupt photos --kind common --severity all --pictures frost-photos -o photos-c

Commands that read data take --corruption fog:3, which does the same on the way.`,
    )
    .action(async (path: string, flags: CorruptFlags) => {
      process.exitCode = await (await import("../actions/corrupt.js")).corrupt(path, flags);
    });
}

/** Names are looked up when the command runs, whose message says what there is. */
const parseKinds = (text: string): string[] => text.split(",");

function parseSeverities(text: string): Severity[] {
  if (text === "all") return [...severities];
  return text.split(",").map((part) => {
    const severity = severities.find((s) => String(s) === part);
    if (!severity) throw new InvalidArgumentError("1 to 5, or several with commas, or all.");
    return severity;
  });
}
