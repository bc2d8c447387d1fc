import { bytesOf } from "../../graph/cost.js";
import type { Value } from "../../graph/graph.js";
import { costOf, type Plan, Schedule, type Sweeps } from "./schedule.js";

/** A schedule with what it costs. */
export interface Choice {
  readonly schedule: Schedule;
  readonly peak: number;
  readonly work: number;
}

const noValues: ReadonlySet<Value> = new Set();

/**
 * Chooses what to compute again so that memory stays within a budget, with as little work as is found.
 *
 * The forward sweep is cut into segments where little crosses (Chen et al. 2016, arXiv 1604.06174): what crosses is kept, what is inside is
 * computed again when the reverse sweep arrives. Several lengths of segments are tried, and of each as many segments, from the beginning,
 * as the budget asks for; then values inside that are dear to compute and small are kept while room remains.
 *
 * @returns the choice within the budget, and the least memory of all plans that were tried.
 */
export function chooseSchedule(sweeps: Sweeps, budget: number): { readonly choice: Choice | undefined; readonly least: number } {
  let choice: Choice | undefined;
  let least = Number.POSITIVE_INFINITY;
  const weigh = (plan: Plan): Choice => {
    const schedule = new Schedule(sweeps, plan);
    const weighed = { schedule, peak: schedule.peak(), work: schedule.work() };
    least = Math.min(least, weighed.peak);
    if (weighed.peak <= budget && (!choice || weighed.work < choice.work)) choice = weighed;
    return weighed;
  };
  if (weigh({ ends: [sweeps.forward.length], again: 0, kept: noValues }).peak <= budget) return { choice, least };
  for (const ends of segmentations(sweeps)) {
    // The last segment is read at once: computing it again gains nothing. Peaks fall as more is computed again.
    let [few, many] = [0, ends.length - 1];
    if (weigh({ ends, again: many, kept: noValues }).peak > budget) continue;
    while (many - few > 1) {
      const middle = (few + many) >> 1;
      if (weigh({ ends, again: middle, kept: noValues }).peak <= budget) many = middle;
      else few = middle;
    }
  }
  if (choice) keepDear(choice, budget, weigh);
  return { choice, least };
}

/** So many lengths of segments are tried, each √2 times the one before. */
const lengths = 20;

/** Cuts of the forward sweep into segments of about equal bytes of saved values, each at the narrowest place near its end. */
function segmentations(sweeps: Sweeps): number[][] {
  const { forward, saved } = sweeps;
  const crossing = sweeps.crossing();
  const bytes = forward.map((node) =>
    node.outputs.reduce((sum, v) => (saved.has(v) && !sweeps.fixed.has(v) ? sum + bytesOf(v) : sum), 0),
  );
  const total = bytes.reduce((a, b) => a + b, 0);
  const seen = new Set<string>();
  const found: number[][] = [];
  for (let i = 2; i < lengths + 2; i++) {
    const ends = cut(bytes, crossing, total / Math.SQRT2 ** i);
    if (ends.length < 2 || seen.has(String(ends))) continue;
    seen.add(String(ends));
    found.push(ends);
  }
  return found;
}

function cut(bytes: readonly number[], crossing: Float64Array, length: number): number[] {
  const ends: number[] = [];
  let inside = 0;
  let best = -1;
  let start = 0;
  for (let i = 0; i < bytes.length; i++) {
    inside += bytes[i]!;
    // A segment ends where it has between half and one and a half times its length.
    if (inside >= length / 2 && (best < 0 || crossing[i + 1]! < crossing[best]!)) best = i + 1;
    if (inside < 1.5 * length && i < bytes.length - 1) continue;
    if (best > start && best < bytes.length) {
      ends.push(best);
      start = best;
      // What lies behind the cut belongs to the next segment.
      inside = 0;
      for (let j = best; j <= i; j++) inside += bytes[j]!;
    }
    best = -1;
  }
  return [...ends, bytes.length];
}

/** So many values are tried. */
const trials = 60;

/** Keeps, one after the other, values that save most work for their bytes, as long as memory stays within the budget. */
function keepDear(begin: Choice, budget: number, weigh: (plan: Plan) => Choice): void {
  const { steps, again } = begin.schedule;
  const candidates = steps
    .flatMap(({ node, time }) => (time === "again" ? node.outputs : []))
    .filter((v) => again.has(v))
    .map((v) => ({ v, worth: costOf(v.node!) / bytesOf(v) }))
    .sort((a, b) => b.worth - a.worth)
    .slice(0, trials);
  let current = begin;
  for (const { v } of candidates) {
    const { plan } = current.schedule;
    const tried = weigh({ ...plan, kept: new Set([...plan.kept, v]) });
    if (tried.peak <= budget && tried.work <= current.work) current = tried;
  }
}
