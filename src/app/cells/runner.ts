import { sentenceOf } from "../cli/errors.js";
import type { Plugins } from "../plugins/plugins.js";
import { Bench, type PlaceTable } from "./bench.js";
import type { Cell } from "./cell.js";

/** What a runner works with, and whom it tells. */
export interface RunnerWork {
  /** Where a cell's run directory is to be; it may hold the beginning of one. */
  readonly folder: (cell: Cell) => string;
  readonly signal: AbortSignal;
  /** @param worker who has it: "worker 2", "gpu-3/41". */
  readonly started: (cell: Cell, worker: string) => void;
  readonly progress: (cell: Cell, done: number, total: number, note: string) => void;
  /** Its directory is finished, and lies where it is to be. */
  readonly done: (cell: Cell) => void;
  /** It is given up. */
  readonly failed: (cell: Cell, sentence: string, attempts: number) => void;
}

/**
 * Something that runs cells: this process, processes of this machine, machines behind a queue. One cell's failure is told and stops no other; when the
 * signal says so it stops what is running, keeps what is there, and returns.
 */
export interface Runner {
  run(cells: readonly Cell[], work: RunnerWork): Promise<void>;
}

/** Runs cells one after the other in this process. */
export class Here implements Runner {
  constructor(
    private readonly plugins: Plugins,
    private readonly places: (cell: Cell) => PlaceTable = () => ({}),
    private readonly say?: (text: string) => void,
  ) {}

  async run(cells: readonly Cell[], { folder, signal, started, progress, done, failed }: RunnerWork): Promise<void> {
    const bench = new Bench(this.plugins);
    try {
      for (const cell of cells) {
        if (signal.aborted) return;
        started(cell, "");
        try {
          const end = await bench.run(cell, folder(cell), {
            places: this.places(cell),
            signal,
            onProgress: (n, total, note) => progress(cell, n, total, note),
            ...(this.say && { say: this.say }),
          });
          if (end === "stopped") return;
          done(cell);
        } catch (error) {
          failed(cell, sentenceOf(error), 1);
        }
      }
    } finally {
      await bench.dispose();
    }
  }
}
