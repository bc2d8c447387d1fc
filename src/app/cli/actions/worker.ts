import { resolve } from "node:path";
import { physicalCores } from "../../../engine/runtime/node.js";
import { CellProcess, WorkerDied } from "../../cells/cell-process.js";
import { loadPlugins } from "../../plugins/plugins.js";
import { queueAddress } from "../../queue/address.js";
import { readRoot } from "../../queue/places.js";
import { type Executor, runWorker } from "../../queue/worker.js";
import { makeFolder } from "../../runs/folders.js";
import { interruptible } from "../../runs/progress.js";
import type { WorkerFlags } from "../commands/worker.js";

/** `faultline worker --queue redis://host:6379`; gives the exit code. */
export async function worker(flags: WorkerFlags): Promise<number> {
  const address = queueAddress(flags.queue, process.env);
  const { files } = await loadPlugins(flags.plugin);
  const folder = resolve(flags.work);
  makeFolder(folder);
  const count = flags.workers ?? physicalCores();
  const processes = Array.from({ length: count }, () => new OwnProcess(files.map(({ path }) => path)));
  const stop = interruptible();
  try {
    const done = await runWorker(address, {
      folder,
      roots: (flags.root ?? ["."]).map(readRoot),
      plugins: files.map(({ sha256 }) => sha256),
      executors: processes,
      lostAfter: flags.lostAfter,
      idle: flags.idle,
      signal: stop.signal,
      say: (sentence) => {
        if (!flags.quiet) process.stderr.write(`${sentence}\n`);
      },
    });
    if (!flags.quiet) process.stderr.write(`${done} ${done === 1 ? "cell" : "cells"} done\n`);
    return 0;
  } finally {
    stop.done();
    await Promise.all(processes.map((p) => p.close()));
  }
}

/** A process that is started for the first cell, and again where it died. */
class OwnProcess implements Executor {
  #process: Promise<CellProcess> | undefined;

  constructor(private readonly plugins: readonly string[]) {}

  async run(...[cell, folder, hooks]: Parameters<Executor["run"]>): Promise<"done" | "stopped"> {
    try {
      this.#process ??= CellProcess.start({ plugins: this.plugins });
      return await (await this.#process).run(cell, folder, hooks);
    } catch (error) {
      if (error instanceof WorkerDied) this.#process = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await (await this.#process?.catch(() => undefined))?.close();
  }
}
