import type { Dataset } from "../../vision/data/dataset.js";
import type { Fit } from "./prepare.js";

/** Batches cut into groups of one picture size each, those of a size one after the other; in the order in which sizes come first. */
export interface BySize {
  readonly groups: readonly (readonly number[])[];
  /** Picture sizes, and sizes of batch and picture together: each of these is compiled for. */
  readonly sizes: number;
  readonly programs: number;
}

/**
 * Puts what is to be attacked in an order in which each program is compiled once. A batch keeps its samples: those of another size were always attacked
 * apart from the rest of it, so only the order changes, and no result. Pictures are read for their sizes unless the plan gives all of them one.
 *
 * @param batches indices of samples. @param onProgress called for each picture that was looked at.
 */
export async function bySize(
  { sample }: Pick<Dataset, "sample">,
  { resize, crop }: Fit,
  batches: readonly (readonly number[])[],
  { onProgress, signal }: { readonly onProgress?: (done: number) => void; readonly signal?: AbortSignal } = {},
): Promise<BySize> {
  if (resize || crop) return { groups: batches, sizes: 1, programs: new Set(batches.map((b) => b.length)).size };
  const sizes = new Set<string>();
  const byProgram = new Map<string, number[][]>();
  let done = 0;
  for (const batch of batches) {
    const groups = new Map<string, number[]>();
    for (const index of batch) {
      if (signal?.aborted) break;
      const size = await sizeOf(() => sample(index));
      groups.set(size, [...(groups.get(size) ?? []), index]);
      onProgress?.(++done);
    }
    for (const [size, group] of groups) {
      if (size !== unreadable) sizes.add(size);
      const program = `${size} ${group.length}`;
      byProgram.set(program, [...(byProgram.get(program) ?? []), group]);
    }
  }
  const programs = [...byProgram.keys()].filter((key) => !key.startsWith(unreadable)).length;
  return { groups: [...byProgram.values()].flat(), sizes: sizes.size, programs };
}

const unreadable = "unreadable";

/** What fails now fails again when its turn comes, and is listed then. */
async function sizeOf(read: () => ReturnType<Dataset["sample"]>): Promise<string> {
  try {
    return Object.values((await read()).inputs)[0]!
      .shape.slice(1)
      .join("x");
  } catch {
    return unreadable;
  }
}
