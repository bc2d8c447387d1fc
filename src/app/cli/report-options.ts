import { type Command, InvalidArgumentError, Option } from "commander";
import type { Bound } from "../attack/thresholds.js";
import type { Assets } from "../report/pictures.js";
import { allowFailed, parseFraction } from "./model-options.js";

/** What is printed and written of a finished run, and when it counts as failed. */
export interface ReportFlags extends BoundFlags {
  readonly assets: Assets;
  readonly json?: true;
  readonly quiet?: true;
  readonly allowAudit?: true;
  readonly allowFailed?: true;
}

/** Adds --assets, --json, --quiet, --allow-audit, --fail-under and --fail-over. */
export function withReport(command: Command): Command {
  command
    .addOption(
      new Option("--assets <where>", "pictures of report.html: inline = the report is one file; folder = beside it, in full size")
        .choices(["inline", "folder"])
        .default("inline"),
    )
    .option("--json", "print the result as JSON on standard output, and nothing else there")
    .option("--quiet", "print errors, failed checks and missed bounds only")
    .option("--allow-audit", "exit code 0 even where the audit fails")
    .addOption(allowFailed());
  return withBounds(command);
}

/** Bounds on metrics, as they are typed. */
export interface BoundFlags {
  readonly failUnder?: readonly Bound[];
  readonly failOver?: readonly Bound[];
}

/** Adds --fail-under and --fail-over. */
export const withBounds = (command: Command): Command =>
  command
    .option(
      "--fail-under <metric=value>",
      "exit code 2 where a metric of the adversarial images is lower, for example miou=40; shares in percent; repeatable",
      bound("--fail-under"),
    )
    .option(
      "--fail-over <metric=value>",
      "the same where a metric is higher: errors (epe=3), and what floods a detector (boxes=50); repeatable",
      bound("--fail-over"),
    );

/** All bounds that were typed. */
export const boundsOf = ({ failUnder = [], failOver = [] }: BoundFlags): Bound[] => [...failUnder, ...failOver];

const bound =
  (flag: Bound["flag"]) =>
  (text: string, before: readonly Bound[] = []): readonly Bound[] => {
    const match = /^\s*([^=]+?)\s*=\s*([^=]+?)\s*(%?)\s*$/.exec(text);
    if (!match) throw new InvalidArgumentError("write METRIC=VALUE, for example miou=40.");
    return [
      ...before,
      { flag, name: match[1]!, value: parseFraction(match[2]!), ...(match[3] === "%" && { unit: "%" as const }) },
    ];
  };
