import type { Graph } from "../../engine/graph/graph.js";
import type { Engine, Feeds } from "../../engine/runtime/engine.js";
import { isFloat, toNumbers } from "../../engine/tensor/tensor.js";

/** How far an output moved: ‖y' - y‖ / ‖y‖ over all inputs together, and the largest change of any element. */
export interface OutputDifference {
  readonly output: string;
  readonly relative: number;
  readonly largest: number;
}

/** Runs two graphs with the same inputs and outputs on the same feeds. */
export async function outputDifferences(
  engine: Engine,
  before: Graph,
  after: Graph,
  feeds: readonly Feeds[],
): Promise<OutputDifference[]> {
  const [first, second] = [await engine.compile(before), await engine.compile(after)];
  try {
    const sums = new Map(
      [...before.outputs].filter(([, v]) => isFloat(v.type)).map(([name]) => [name, { change: 0, size: 0, largest: 0 }]),
    );
    for (const feed of feeds) {
      const [old, now] = [await first.run(feed), await second.run(feed)];
      for (const [name, sum] of sums) {
        const moved = toNumbers(now[name]!);
        toNumbers(old[name]!).forEach((v, i) => {
          const change = Math.abs(moved[i]! - v);
          sum.change += change * change;
          sum.size += v * v;
          sum.largest = Math.max(sum.largest, change);
        });
      }
    }
    return [...sums].map(([output, { change, size, largest }]) => ({
      output,
      relative: change === 0 ? 0 : Math.sqrt(change / size),
      largest,
    }));
  } finally {
    first.dispose();
    second.dispose();
  }
}
