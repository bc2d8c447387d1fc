import { sentenceOf } from "../cli/errors.js";
import type { PlaceTable } from "./bench.js";
import type { Cell } from "./cell.js";
import { CellProcess, WorkerDied } from "./cell-process.js";
import type { Runner, RunnerWork } from "./runner.js";

export interface LocalOptions {
  /** How many processes. */
  readonly workers: number;
  /** Paths of modules that cells may need. */
  readonly plugins?: readonly string[];
  /** Where on this machine a cell's files lie. */
  readonly places?: (cell: Cell) => PlaceTable;
  /** How often a cell is begun whose worker dies; default 3. */
  readonly attempts?: number;
  /** Starts a process; default: `CellProcess.start`. */
  readonly start?: typeof CellProcess.start;
  /** Told of workers that died. */
  readonly say?: (text: string) => void;
}

/**
 * Runs cells in processes of this machine, each of which takes the next cell when it is done with one. A process that dies is replaced; its cell is begun
 * again where it was, a few times at most.
 */
export class Local implements Runner {
  constructor(private readonly options: LocalOptions) {}

  async run(cells: readonly Cell[], work: RunnerWork): Promise<void> {
    let next = 0;
    const take = (): Cell | undefined => (work.signal.aborted ? undefined : cells[next++]);
    const count = Math.min(this.options.workers, cells.length);
    await Promise.all(Array.from({ length: count }, (_, i) => this.#worker(`worker ${i + 1}`, take, work)));
  }

  async #worker(name: string, take: () => Cell | undefined, work: RunnerWork): Promise<void> {
    const { places = () => ({}), plugins = [], attempts = 3, start = CellProcess.start, say = () => {} } = this.options;
    let process: CellProcess | undefined;
    try {
      for (let cell = take(); cell; cell = take()) {
        work.started(cell, name);
        for (let attempt = 1; ; attempt++) {
          try {
            process ??= await start({ plugins });
            const own = cell;
            const end = await process.run(cell, work.folder(cell), {
              places: places(cell),
              signal: work.signal,
              onProgress: (done, total, note) => work.progress(own, done, total, note),
            });
            if (end === "done") work.done(cell);
            break;
          } catch (error) {
            const died = error instanceof WorkerDied;
            if (died) process = undefined;
            if (!died || attempt === attempts) {
              work.failed(cell, sentenceOf(error), attempt);
              break;
            }
            if (work.signal.aborted) break;
            say(`${cell.name}: ${error.message} It is begun again where it was (${attempt + 1} of ${attempts}).\n`);
          }
        }
      }
    } finally {
      await process?.close();
    }
  }
}
