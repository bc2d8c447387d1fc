import { Presets, SingleBar } from "cli-progress";

const minute = 60_000;

/** Shows how far long work is, with an estimate of what remains. */
export interface Progress {
  /** `note` is a short figure of interest, for example the current loss. */
  update(done: number, note?: string): void;
  stop(): void;
}

/**
 * A bar on a terminal; on anything else (a log file, CI) a line at each tenth, and where that takes longer each minute. Writes to standard error: standard output is for results.
 *
 * @param say takes the lines; one that is not standard error's gets no bar.
 */
export function progress(label: string, total: number, start = 0, say = toStandardError): Progress {
  if (process.stderr.isTTY && say === toStandardError) {
    const bar = new SingleBar(
      {
        format: `${label} {bar} {value}/{total}  {eta_formatted} left  {note}`,
        stream: process.stderr,
        hideCursor: true,
        etaBuffer: 50,
      },
      Presets.shades_classic,
    );
    bar.start(total, start, { note: "" });
    return { update: (done, note = "") => bar.update(done, { note }), stop: () => bar.stop() };
  }
  const began = Date.now();
  let tenth = Math.floor((10 * start) / Math.max(total, 1));
  let said = began;
  return {
    update: (done, note = "") => {
      const now = Math.floor((10 * done) / Math.max(total, 1));
      if (now === tenth && Date.now() - said < minute) return;
      [tenth, said] = [now, Date.now()];
      const left = Math.ceil((((said - began) / (done - start)) * (total - done)) / 1000);
      say(`${label} ${done}/${total}${done > start ? `, about ${left} s left` : ""} ${note}\n`);
    },
    stop: () => {},
  };
}

/** Writes to standard error. */
export function toStandardError(text: string): void {
  process.stderr.write(text);
}

/** Where notes and progress go: nowhere with --quiet. */
export const sayUnless = (quiet: true | undefined): ((text: string) => void) => (quiet ? () => {} : toStandardError);

/** Ctrl-C: the first stops after the work in hand, the second at once. */
export function interruptible(): { readonly signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("\nstopping after the work in hand; press Ctrl-C again to stop at once\n");
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    done: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
