/** How far compiling for one size of pictures is. */
export interface Compiling {
  readonly height: number;
  readonly width: number;
  readonly stage: "under way" | "the model is read for this size" | "done";
  /** Since it began. */
  readonly seconds: number;
  /** What it took for the size before; undefined for the first. */
  readonly before: number | undefined;
}

/** When a sign of life is given: after two seconds, then every ten. */
const [first, later] = [2000, 10_000];

/** Does what compiles, and tells how far it is: at the stages that `work` names, and now and then between them. */
export async function whileTelling<T>(
  tell: (stage: Compiling["stage"]) => void,
  work: (stage: (stage: Compiling["stage"]) => void) => Promise<T>,
): Promise<T> {
  let timer = setTimeout(function again() {
    tell("under way");
    timer = setTimeout(again, later);
  }, first);
  try {
    return await work(tell);
  } finally {
    clearTimeout(timer);
  }
}

/** What is said of it: nothing where setting up takes less than two seconds. The half of it that reads the model takes the smaller part of the time. */
export function compilingText({ height, width, stage, seconds, before }: Compiling): string {
  const took = (s: number) => `${s.toFixed(s < 10 ? 1 : 0)} s`;
  const what = `compiling for ${height}x${width} ...`;
  const left = before === undefined ? undefined : `about ${took(Math.max(0, before - seconds))} left`;
  if (stage === "done") return seconds > 2 ? `compiled for ${height}x${width} in ${took(seconds)}\n` : "";
  if (stage === "under way") return `${what} ${took(seconds)} so far${left ? `, ${left}` : ""}\n`;
  if (seconds < 0.7 && (before ?? 0) < 2) return "";
  // The first time nothing is known but what reading took: the rest took once to six times as long where it was measured.
  return `${what} the model is read, ${left ?? `as a rule ${took(seconds)} to ${took(6 * seconds)} more`} for the attack\n`;
}
