import { sentenceOf } from "../cli/errors.js";
import { loadPlugins } from "../plugins/plugins.js";
import { Bench } from "./bench.js";
import { CellError, readCell } from "./cell.js";
import type { FromProcess, ToProcess } from "./cell-process.js";

// The child of cell-process.ts. Its arguments are modules of the user's own.

const say = (message: FromProcess): void => {
  process.send?.(message);
};

// Ctrl-C reaches every process of a terminal; who started this one says what is to be done.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => process.exit(143));
// Nobody waits for what is being done any more.
process.on("disconnect", () => process.exit(0));

let stop = new AbortController();

async function start(): Promise<void> {
  let bench: Bench;
  try {
    bench = new Bench(await loadPlugins(process.argv.slice(2)));
  } catch (error) {
    say({ kind: "failed", sentence: sentenceOf(error), of: "the run" });
    return;
  }
  process.on("message", async (message: ToProcess) => {
    if (message.kind === "stop") return stop.abort();
    stop = new AbortController();
    try {
      const onProgress = throttled((done: number, total: number, note: string) => say({ kind: "progress", done, total, note }));
      const end = await bench.run(readCell(message.cell), message.folder, {
        places: message.places,
        signal: stop.signal,
        onProgress,
      });
      say({ kind: "ended", end });
    } catch (error) {
      say({ kind: "failed", sentence: sentenceOf(error), of: error instanceof CellError ? "the cell" : "the run" });
    }
  });
  say({ kind: "ready" });
}

/** Calls at most ten times a second, but whenever another number of samples is done. */
function throttled(call: (done: number, total: number, note: string) => void): typeof call {
  let [last, before] = [0, -1];
  return (done, total, note) => {
    const now = Date.now();
    if (done === before && now - last < 100) return;
    [last, before] = [now, done];
    call(done, total, note);
  };
}

void start();
