import { MultiBar, Presets, type SingleBar } from "cli-progress";
import type { Cell } from "./cell.js";
import type { CellsWork } from "./run-cells.js";

export interface ProgressOptions {
  /** All cells, in their order, of which some may be done. */
  readonly cells: readonly Cell[];
  /** How long a cell takes, in any unit: samples times steps. */
  readonly cost: (cell: Cell) => number;
  readonly say: (text: string) => void;
  /** Whether bars may be drawn on standard error. */
  readonly bars: boolean;
}

/**
 * Tells how far cells are, with an estimate of what remains: on a terminal a bar for all and one for each cell that is being run, elsewhere a line for each
 * that begins.
 */
export class CellsProgress {
  readonly #bars: MultiBar | undefined;
  readonly #own = new Map<string, SingleBar>();
  readonly #place: ReadonlyMap<string, number>;
  /** Shares of the cells that are being run. */
  readonly #running = new Map<string, { readonly cell: Cell; readonly from: number; share: number }>();
  #total: SingleBar | undefined;
  #began = Date.now();
  #finished = 0;
  #all = 0;
  /** Work that was there when a cell was begun is not of now. */
  #work = 0;

  constructor(private readonly options: ProgressOptions) {
    this.#place = new Map(options.cells.map(({ key }, i) => [key, i + 1]));
    this.#bars = options.bars
      ? new MultiBar(
          { stream: process.stderr, hideCursor: true, clearOnComplete: true, format: "{what} {bar} {share}  {note}" },
          Presets.shades_classic,
        )
      : undefined;
  }

  readonly tell: NonNullable<CellsWork["tell"]> = {
    begun: ({ todo, before, copied }) => {
      const { cells, cost, say } = this.options;
      if (before > 0) say(`${before} of ${cells.length} cells are done already\n`);
      if (copied > 0) say(`${copied} of ${cells.length} cells are known from elsewhere, and are copied\n`);
      this.#began = Date.now();
      this.#all = todo.reduce((sum, cell) => sum + cost(cell), 0);
      if (todo.length > 0)
        this.#total = this.#bars?.create(1, 0, { what: "all cells".padEnd(nameWidth), share: `0/${todo.length}`, note: "" });
      this.#todo = todo.length;
    },
    started: (cell, worker) => {
      this.#running.set(cell.key, { cell, from: 0, share: 0 });
      const bar = this.#bars?.create(1, 0, { what: shortName(cell).padEnd(nameWidth), share: "", note: worker });
      if (bar) this.#own.set(cell.key, bar);
      else {
        const left = this.left();
        const who = worker ? `, ${worker}` : "";
        this.options.say(
          `${this.#place.get(cell.key)} of ${this.options.cells.length}: ${cell.name}${who}${left === undefined ? "" : `, about ${inWords(left)} left`}\n`,
        );
      }
    },
    progress: (cell, done, total, note) => {
      const running = this.#running.get(cell.key);
      const share = total > 0 ? done / total : 0;
      if (running) {
        // The first word is what was done before.
        if (running.share === 0 && running.from === 0 && note === "") this.#running.set(cell.key, { cell, from: share, share });
        else running.share = share;
      }
      this.#own.get(cell.key)?.update(share, { share: `${done}/${total}`, note });
      this.#draw();
    },
    done: (cell) => this.#end(cell),
    failed: (cell, sentence) => {
      this.#end(cell);
      this.#write(`faultline: ${cell.name}: ${sentence}\n`);
    },
  };

  #todo = 0;
  #ended = 0;

  /** Seconds that what is left will take; undefined where nothing is known yet. */
  left(): number | undefined {
    const { cost } = this.options;
    const running = [...this.#running.values()];
    const now = running.reduce((sum, { cell, from, share }) => sum + cost(cell) * (share - from), this.#work);
    const done = running.reduce((sum, { cell, share }) => sum + cost(cell) * share, this.#finished);
    const seconds = (Date.now() - this.#began) / 1000;
    return now > 0 ? (seconds / now) * Math.max(0, this.#all - done) : undefined;
  }

  /** Says something without disturbing the bars. */
  readonly say = (text: string): void => this.#write(text);

  stop(): void {
    this.#bars?.stop();
  }

  #end(cell: Cell): void {
    const running = this.#running.get(cell.key);
    this.#running.delete(cell.key);
    this.#finished += this.options.cost(cell);
    this.#work += this.options.cost(cell) * (1 - (running?.from ?? 0));
    this.#ended++;
    const bar = this.#own.get(cell.key);
    if (bar) this.#bars?.remove(bar);
    this.#own.delete(cell.key);
    this.#draw();
  }

  #draw(): void {
    const left = this.left();
    const running = [...this.#running.values()].reduce((sum, { cell, share }) => sum + this.options.cost(cell) * share, 0);
    const share = this.#all > 0 ? Math.min(1, (this.#finished + running) / this.#all) : 0;
    this.#total?.update(share, {
      share: `${this.#ended}/${this.#todo}`,
      note: left === undefined ? "" : `about ${inWords(left)} left`,
    });
  }

  #write(text: string): void {
    if (this.#bars) this.#bars.log(text);
    else process.stderr.write(text);
  }
}

/** Characters of a terminal that a name takes. */
const nameWidth = 40;

/** Names begin alike and differ at their ends; the digits of the key after that tell a reader nothing. */
const shortName = ({ name }: Cell): string => {
  const own = name.slice(name.lastIndexOf("/") + 1).replace(/-[0-9a-f]{8}$/, "");
  return own.length > nameWidth ? `…${own.slice(1 - nameWidth)}` : own;
};

/** 40 s, 12 min, 3 h 20 min */
export function inWords(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
