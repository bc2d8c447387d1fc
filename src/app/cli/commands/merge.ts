import { Command } from "commander";

/** `faultline merge SHARD... --out RUN` */
export function mergeCommand(): Command {
  return new Command("merge")
    .description("Join the shards of an attack or criticality run into the run that one machine would have made, byte for byte.")
    .argument("<shard...>", "run directories made with --shard")
    .requiredOption("--out <dir>", "run directory to make")
    .action(async (paths: string[], flags: { out: string }) => (await import("../actions/merge.js")).merge(paths, flags));
}
