import { findNetwork, tensorsOf } from "./find.js";
import { publishedNetworks } from "./published.js";
import type { NamedShapes } from "./recognize.js";

/** A published network and how much of it some parameters are. */
export interface Likeness {
  readonly name: string;
  /** Tensors of the same name and shape. */
  readonly shared: number;
  /** Tensors of the network. */
  readonly tensors: number;
}

/**
 * The published network that has the most tensors in common with a checkpoint; none where that is less than half of them. For error
 * messages: it builds every network once, which takes about a second.
 */
export function closestNetwork(state: NamedShapes): Likeness | undefined {
  const found = Object.keys(publishedNetworks).map((name): Likeness => {
    const declared = tensorsOf(findNetwork(name));
    const shared = [...declared].filter(([tensor, { shape }]) => state.get(tensor)?.shape.join() === shape.join()).length;
    return { name, shared, tensors: declared.size };
  });
  const best = found.reduce((a, b) => (b.shared / b.tensors > a.shared / a.tensors ? b : a));
  return best.shared / best.tensors >= 0.5 ? best : undefined;
}
