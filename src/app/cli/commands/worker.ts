import { Command } from "commander";
import { pluginOption } from "../attack-options.js";
import { parsePositiveInteger } from "../model-options.js";

export interface WorkerFlags {
  readonly queue?: string;
  readonly work: string;
  readonly root?: string[];
  readonly workers?: number;
  readonly plugin?: string[];
  readonly lostAfter: number;
  readonly idle?: number;
  readonly quiet?: true;
}

/** `faultline worker --queue redis://host:6379` */
export function workerCommand(): Command {
  return new Command("worker")
    .description("Do cells of sweeps that wait in a queue (faultline sweep --queue), until Ctrl-C.")
    .option(
      "--queue <url>",
      "the Redis server, redis://HOST:PORT or rediss:// for TLS (default: FAULTLINE_QUEUE); a password comes from FAULTLINE_REDIS_PASSWORD",
    )
    .option(
      "--workers <n>",
      "cells at the same time, each in a process of its own (default: physical cores)",
      parsePositiveInteger,
    )
    .option(
      "--root <dir>",
      "where the files of sweeps lie on this machine: relative paths below DIR, or, as FROM=DIR, paths that begin with FROM with DIR in its stead; repeatable (default: the current folder)",
      (root: string, before: readonly string[] = []) => [...before, root],
    )
    .option("--work <dir>", "the only folder that is written to: cells in work, files from addresses", "faultline-work")
    .addOption(pluginOption("a module of your own that cells may need; a queue brings no code, so it must lie here; repeatable"))
    .option("--idle <seconds>", "end after so many seconds without a cell (default: never)", parsePositiveInteger)
    .option(
      "--lost-after <seconds>",
      "a worker that gives no sign of life for so long is taken for dead, and its cells go to others",
      parsePositiveInteger,
      30,
    )
    .option("--quiet", "print errors alone")
    .addHelpText(
      "after",
      `
A worker is told what to compute, never how: a cell is data. It reads files whose hashes the cell has, and writes in --work alone.
Ctrl-C gives cells back to the queue; a worker that dies loses them to others. The provider (cuda, webgpu) stands in the sweep's plan.

Examples: faultline worker --queue redis://10.0.0.5:6379 --root /data
          FAULTLINE_REDIS_PASSWORD=... faultline worker --queue rediss://queue.example.org:6380 --idle 600`,
    )
    .action(async (flags: WorkerFlags) => {
      process.exitCode = await (await import("../actions/worker.js")).worker(flags);
    });
}
