import { Command } from "commander";

/** `faultline merge SHARD... --out RUN` */
export function mergeCommand(): Command {
  return new Command("merge")
    .description(
      "Join the shards of an attack or criticality run, or the parts of a sweep, into what one machine would have made, byte for byte.",
    )
    .argument("<shard...>", "directories made with --shard")
    .requiredOption("--out <dir>", "directory to make")
    .action(async (paths: string[], flags: { out: string }) => (await import("../actions/merge.js")).merge(paths, flags));
}
