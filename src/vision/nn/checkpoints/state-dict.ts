import { float16ToFloat32, isFloat, type Shape, sameShape, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
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

/** What DataParallel, Lightning, BasicSR and torch.compile put before every name. */
const wrappers = ["module.", "model.", "net_g.", "_orig_mod."];

/**
 * The prefix that wrappers put before every single name, "" where there is none.
 *
 * @example wrapperPrefix(new Map([["module.model.a", a], ["module.model.b", b]])) // "module.model."
 */
export function wrapperPrefix(state: StateDict): string {
  const names = [...state.keys()];
  let prefix = "";
  const next = () => wrappers.find((w) => names.length > 0 && names.every((name) => name.startsWith(prefix + w)));
  for (let w = next(); w !== undefined; w = next()) prefix += w;
  return prefix;
}

/**
 * The state with float16 (exactly) and float64 (rounded) as float32, in which networks compute here; other types as they are. Single numbers
 * without an axis, as PyTorch writes the weights of BOA's blends, get one: [1].
 */
export function asFloat32(state: StateDict): StateDict {
  const widened = (t: Tensor): Tensor => {
    const shape = t.shape.length === 0 ? [1] : t.shape;
    if (t.type === "float64") return tensor("float32", shape, Float32Array.from(t.data as Float64Array));
    if (t.type === "float16") return tensor("float32", shape, Float32Array.from(t.data as Uint16Array, float16ToFloat32));
    return t.type === "float32" && t.shape.length === 0 ? { ...t, shape } : t;
  };
  return new Map([...state].map(([name, t]) => [name, widened(t)]));
}

/**
 * Compares a checkpoint with what a network expects: one sentence for each parameter that is missing, unexpected, of another
 * shape, no floating-point number or not finite; none when it fits. With `strict: false` missing and unexpected ones do not count, as in PyTorch's `load_state_dict`. Batch normalization's
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
    } else if (!isFloat(t.type)) {
      problems.push(`Parameter "${name}" is ${t.type} in the checkpoint, but the network computes in float32.`);
    } else if (!allFinite(t)) {
      problems.push(
        `Parameter "${name}" holds values that are no finite numbers: its training diverged, or the file is damaged.`,
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

function allFinite({ type, data }: Tensor): boolean {
  if (type === "float16") return (data as Uint16Array).every((bits) => (bits & 0x7c00) !== 0x7c00);
  return (data as Float32Array | Float64Array).every(Number.isFinite);
}

/** Where a missing parameter may be: under the prefix that wrappers add. */
function whereabouts(name: string, found: StateDict): string {
  for (const prefix of wrappers) {
    if (found.has(prefix + name)) return `, but "${prefix}${name}" is there: strip the prefix "${prefix}"`;
  }
  return "";
}
