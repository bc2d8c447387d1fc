import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { fromSource } from "../../engine/from-source.js";
import type { CellHooks } from "./bench.js";
import { type Cell, CellError } from "./cell.js";

// A process of its own for cells: what an attack takes down (memory, a crash of ONNX Runtime) is that process, and never who waits for it.

/** What a process is told. */
export type ToProcess =
  | { readonly kind: "run"; readonly cell: Cell; readonly folder: string; readonly places: Readonly<Record<string, string>> }
  | { readonly kind: "stop" };

/** What it says. */
export type FromProcess =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly done: number; readonly total: number; readonly note: string }
  | { readonly kind: "ended"; readonly end: "done" | "stopped" }
  | { readonly kind: "failed"; readonly sentence: string; readonly of: "the cell" | "the run" };

/** Milliseconds for what a process that is gone wrote on standard error. */
const lastWords = 200;

/** The process is gone: the cell may be tried again in another one. */
export class WorkerDied extends Error {
  override readonly name = "WorkerDied";
}

/** A cell came to an error that it would come to again: one sentence. */
export class CellFailed extends Error {
  override readonly name = "CellFailed";
}

/**
 * A child process that runs one cell at a time. It ends when it is closed, and when this process goes.
 *
 * @example
 * const worker = await CellProcess.start();
 * await worker.run(cell, "sweep/cells/resnet-pgd", { signal }); // "done"
 * await worker.close();
 */
export class CellProcess {
  #said: ((message: FromProcess) => void) | undefined;
  #gone: string | undefined;
  #onGone: (() => void) | undefined;
  /** The last of what it wrote on standard error: why a process died may stand there. */
  #tail = "";

  private constructor(private readonly child: ChildProcess) {
    child.on("message", (message) => this.#said?.(message as FromProcess));
    child.stderr?.on("data", (chunk) => {
      this.#tail = `${this.#tail}${String(chunk)}`.slice(-2000);
    });
    // ("close" does not come where this side has disconnected. Its last words may come after "exit".)
    child.on("exit", async (code, signal) => {
      const { stderr } = child;
      if (stderr && !stderr.readableEnded) await Promise.race([once(stderr, "end"), setTimeout(lastWords)]);
      const how = signal === "SIGKILL" ? `${signal} (out of memory?)` : signal;
      this.#leave(how ? `was ended by ${how}` : `ended with code ${code}`);
    });
    child.on("error", (error) => this.#leave(error.message));
  }

  /**
   * @param plugins paths of modules that cells may need.
   * @throws WorkerDied where the process does not start, with what it said.
   */
  static async start({ plugins = [] }: { readonly plugins?: readonly string[] } = {}): Promise<CellProcess> {
    const entry = new URL(fromSource ? "./cell-child-source.mjs" : "./cell-child.js", import.meta.url);
    const child = fork(entry, [...plugins], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: [],
      // Decoding pictures is not what its threads are for.
      env: { ...process.env, VIPS_CONCURRENCY: "1" },
    });
    const started = new CellProcess(child);
    const first = await started.#next(() => {});
    if (first.kind === "failed") throw new CellFailed(first.sentence);
    return started;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /**
   * @throws CellFailed for what would happen again, CellError for a cell that can be run nowhere, WorkerDied where the process went.
   */
  async run(cell: Cell, folder: string, { places = {}, signal, onProgress }: CellHooks): Promise<"done" | "stopped"> {
    const stop = () => this.#send({ kind: "stop" });
    signal.addEventListener("abort", stop);
    try {
      this.#send({ kind: "run", cell, folder, places });
      if (signal.aborted) stop();
      const last = await this.#next((message) => {
        if (message.kind === "progress") onProgress?.(message.done, message.total, message.note);
      });
      if (last.kind === "ended") return last.end;
      if (last.kind !== "failed") throw new WorkerDied("the worker process said what nobody understands.");
      throw last.of === "the cell" ? new CellError(last.sentence) : new CellFailed(last.sentence);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Ends the process: after what it is doing, where it does something. */
  async close(): Promise<void> {
    if (this.#gone !== undefined) return;
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    if (this.child.connected) this.child.disconnect();
    await gone;
  }

  /** Ends it at once. */
  kill(): void {
    this.child.kill("SIGKILL");
  }

  #leave(how: string): void {
    this.#gone ??= how;
    this.#onGone?.();
  }

  #send(message: ToProcess): void {
    // A process that is gone says so by itself.
    if (this.child.connected) this.child.send(message, () => {});
  }

  /** The next message that is no progress. */
  #next(each: (message: FromProcess) => void): Promise<FromProcess> {
    return new Promise((resolve, reject) => {
      const end = () => {
        const last = this.#tail.trim().split("\n").at(-1);
        reject(new WorkerDied(`the worker process ${this.#gone}${last ? `: ${last}` : ""}.`));
      };
      if (this.#gone !== undefined) return end();
      this.#onGone = end;
      this.#said = (message) => {
        each(message);
        if (message.kind === "progress") return;
        this.#said = undefined;
        this.#onGone = undefined;
        resolve(message);
      };
    });
  }
}
