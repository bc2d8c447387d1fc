import { subgraphs } from "./check.js";
import type { OnnxGraph } from "./model.js";

/**
 * The names in use, and others like them: the one way in which names are made unique, in files and in graphs.
 *
 * @example
 * const names = new Names();
 * names.claim("conv"); // "conv"
 * names.fresh("conv"); // "conv_1"
 */
export class Names {
  readonly #given = new Set<string>();
  readonly #reserved = new Set<string>();
  /** The next suffix to try, so that many names of one stem do not take quadratic time. */
  readonly #next = new Map<string, number>();

  /** Whether somebody bears the name. */
  has(name: string): boolean {
    return this.#given.has(name);
  }

  /** Keeps a name for whoever claims it: no fresh name will be that one. */
  reserve(name: string): void {
    this.#reserved.add(name);
  }

  /** The wanted name, or a fresh one like it where somebody bears it already. */
  claim(wanted: string): string {
    if (this.#given.has(wanted)) return this.fresh(wanted);
    this.#given.add(wanted);
    return wanted;
  }

  /** A name that nobody bears or has reserved: `stem`, `stem_1`, `stem_2` and so on. */
  fresh(stem: string): string {
    let suffix = this.#next.get(stem) ?? 0;
    let name = suffix === 0 ? stem : `${stem}_${suffix}`;
    while (this.#given.has(name) || this.#reserved.has(name)) name = `${stem}_${++suffix}`;
    this.#next.set(stem, suffix + 1);
    this.#given.add(name);
    return name;
  }
}

/** Reserves every name in a graph and its subgraphs. */
export function reserveNames(graph: OnnxGraph, names = new Names()): Names {
  for (const { name } of [...graph.inputs, ...graph.outputs]) names.reserve(name);
  for (const name of graph.initializers.keys()) names.reserve(name);
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...node.outputs]) names.reserve(name);
    for (const inner of subgraphs(node)) reserveNames(inner, names);
  }
  return names;
}
