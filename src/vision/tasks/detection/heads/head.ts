import type { Value } from "../../../../engine/graph/graph.js";
import type { BoxForm } from "../../../spec/model-spec.js";

/** How a detector lays its outputs out. */
export interface Head {
  readonly name: string;
  /** In words, for help and docs: whose it is, and the shape of the outputs. */
  readonly about: string;
  /** What the four numbers of a box usually are. */
  readonly boxes: BoxForm;
  /** Overlap above which its users suppress boxes; 1 where they do not. */
  readonly nms: number;
  /** Whether the shapes can be of this head. */
  readonly fits: (shapes: readonly Shape[]) => boolean;
  /** The parts of the outputs: boxes [B, 4, N] and logits [B, K, N] whose sigmoid is a class's score. */
  readonly parts: (outputs: readonly Value[]) => Parts;
}

export interface Parts {
  readonly boxes: Value;
  readonly logits: Value;
}

type Shape = readonly number[];

/** Whether there are two outputs, [B, N, 4] and [B, N, C] in whatever order, C at least `least`. */
export function isPair(shapes: readonly Shape[], least: number): boolean {
  const pair = pairOf(shapes);
  return pair !== undefined && pair.classes >= least;
}

/** Which of two outputs holds the boxes; undefined where they are no such pair. A batch of one may lack its axis. */
export function pairOf(shapes: readonly Shape[]): { readonly boxes: 0 | 1; readonly classes: number } | undefined {
  if (shapes.length !== 2) return undefined;
  const [a, b] = shapes.map((s) => (s.length === 2 ? [1, ...s] : s)) as [Shape, Shape];
  if (a.length !== 3 || b.length !== 3 || a[1] !== b[1]) return undefined;
  if (a[2] === 4) return { boxes: 0, classes: b[2]! };
  return b[2] === 4 ? { boxes: 1, classes: a[2]! } : undefined;
}
