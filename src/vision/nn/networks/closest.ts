import { declarations } from "../model.js";
import { findNetwork, publishedNetworks } from "./index.js";
import type { NamedShapes } from "./recognise.js";

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
    const { network, inputs, imageChannels, multipleOf } = findNetwork(name);
    const side = Math.max(multipleOf, 64);
    const declared = declarations(network, Object.fromEntries(inputs.map((i) => [i, [1, imageChannels, side, side]])));
    const shared = [...declared].filter(([tensor, { shape }]) => state.get(tensor)?.shape.join() === shape.join()).length;
    return { name, shared, tensors: declared.size };
  });
  const best = found.reduce((a, b) => (b.shared / b.tensors > a.shared / a.tensors ? b : a));
  return best.shared / best.tensors >= 0.5 ? best : undefined;
}
