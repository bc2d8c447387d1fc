import type { ValueType } from "../graph/graph.js";
import type { Program } from "../runtime/engine.js";
import { Random } from "../tensor/random.js";
import { isFloat, sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";

/** What is wrong with a tensor of numbers, where something is. */
export interface Oddity {
  readonly name: string;
  /** "zero": in every element. "not finite": NaN or infinite in some. */
  readonly kind: "zero" | "not finite";
  readonly elements: number;
  /** How many are zero, or not finite. */
  readonly found: number;
}

/**
 * Runs a program once on random numbers (floats of [0, 1), other types 0, which is an index wherever one is wanted; cotangents and tangents
 * normally distributed) and looks at outputs.
 *
 * @param directions names of the inputs that are cotangents or tangents.
 * @returns undefined for an output whose numbers are as they should be.
 * @throws EngineError where the program does not run on such numbers.
 */
export async function probe(
  program: Pick<Program, "run">,
  inputs: readonly (ValueType & { readonly name: string })[],
  {
    directions,
    outputs,
    seed = 0,
  }: { readonly directions: readonly string[]; readonly outputs: readonly string[]; readonly seed?: number },
): Promise<readonly Oddity[]> {
  const feeds = inputs.map(({ name, type, shape }): [string, Tensor] => {
    const random = new Random(seed, name);
    const draw = () => (directions.includes(name) ? random.normal() : random.uniform());
    return [
      name,
      tensor(type, shape, isFloat(type) ? Array.from({ length: sizeOf(shape) }, draw) : new Array(sizeOf(shape)).fill(0)),
    ];
  });
  const results = await program.run(Object.fromEntries(feeds));
  return outputs.flatMap((name) => oddityOf(name, results[name]!) ?? []);
}

/** What is wrong with the numbers of a gradient. */
export function oddityOf(name: string, t: Tensor): Oddity | undefined {
  const numbers = toNumbers(t);
  const elements = numbers.length;
  const broken = numbers.filter((v) => !Number.isFinite(v)).length;
  if (broken > 0) return { name, kind: "not finite", elements, found: broken };
  return elements > 0 && numbers.every((v) => v === 0) ? { name, kind: "zero", elements, found: elements } : undefined;
}
