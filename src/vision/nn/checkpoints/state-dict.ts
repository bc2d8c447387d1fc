import { type Shape, sameShape, type Tensor } from "../../../engine/tensor/tensor.js";
import { CheckpointError } from "./error.js";

/** The parameters and buffers of a network by the names of the published PyTorch checkpoints, in the file's order. */
export type StateDict = ReadonlyMap<string, Tensor>;

/**
 * Drops a prefix, such as the `module.` that DataParallel puts before every name, from the names that bear it.
 *
 * @example stripPrefix(state, "module.")
 * @throws CheckpointError when no name bears the prefix, or two names become one.
 */
export function stripPrefix(state: StateDict, prefix: string): StateDict {
  const stripped = new Map<string, Tensor>();
  let found = false;
  for (const [name, t] of state) {
    const short = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    found ||= short !== name;
    if (stripped.has(short)) throw new CheckpointError(`Without the prefix "${prefix}" two parameters are named "${short}".`);
    stripped.set(short, t);
  }
  if (!found) throw new CheckpointError(`No parameter's name begins with "${prefix}"; leave the prefix out.`);
  return stripped;
}

/**
 * Compares a checkpoint with what a network expects: one sentence for each parameter that is missing, unexpected or of another shape;
 * none when it fits. With `strict: false` only wrong shapes count, as in PyTorch's `load_state_dict`. Batch normalisation's
 * `num_batches_tracked` counters take no part in any computation and are never unexpected.
 *
 * @example const problems = matchParameters(new Map([["bias", [8]]]), state, { strict: true })
 */
export function matchParameters(expected: ReadonlyMap<string, Shape>, found: StateDict, options: { strict: boolean }): string[] {
  const problems: string[] = [];
  for (const [name, shape] of expected) {
    const t = found.get(name);
    if (!t) {
      if (options.strict)
        problems.push(`Parameter "${name}" of shape [${shape.join(", ")}] is missing${whereabouts(name, found)}.`);
    } else if (!sameShape(t.shape, shape)) {
      problems.push(
        `Parameter "${name}" has shape [${t.shape.join(", ")}] in the checkpoint, but the network expects [${shape.join(", ")}].`,
      );
    }
  }
  if (options.strict) {
    for (const name of found.keys()) {
      if (!expected.has(name) && !/(^|\.)num_batches_tracked$/.test(name)) {
        problems.push(`Parameter "${name}" is in the checkpoint, but the network has none of that name.`);
      }
    }
  }
  return problems;
}

/** Where a missing parameter may be: under the prefix that wrappers add. */
function whereabouts(name: string, found: StateDict): string {
  for (const prefix of ["module.", "model.", "net_g."]) {
    if (found.has(prefix + name)) return `, but "${prefix}${name}" is there: strip the prefix "${prefix}"`;
  }
  return "";
}
