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
  /** One output whose rows are places, of which the first four columns are the box: what these numbers are, the doctor sees by their values. */
  readonly columns?: true;
  /** Another head whose outputs look the same where no activation is in the graph. */
  readonly alike?: string;
  /** Whether the shapes can be of this head. */
  readonly fits: (outputs: readonly Named[]) => boolean;
  /** The parts of the outputs: boxes [B, 4, N] and logits [B, K, N] whose sigmoid is a class's score. */
  readonly parts: (outputs: readonly Value[]) => Parts;
}

export interface Parts {
  readonly boxes: Value;
  readonly logits: Value;
}

/** Axes; one that a file leaves free is infinite. */
type Shape = readonly number[];

/** Outputs by shape and name. */
export type Named = { readonly name: string; readonly shape: Shape };

export const isMap = ({ shape }: Named): boolean => shape.length === 3;

/** Whether there are two outputs, [B, N, 4] and [B, N, C] in whatever order, C at least `least`. */
export function isPair(outputs: readonly Named[], least: number): boolean {
  const pair = pairOf(outputs);
  return pair !== undefined && pair.classes >= least;
}

/**
 * Which of two outputs holds the boxes; undefined where they are no such pair. A batch of one may lack its axis. Where both have four columns their names
 * tell, and else the first holds the boxes. Scores may have the classes first, as NonMaxSuppression takes them: [B, C, N].
 */
export function pairOf(outputs: readonly Named[]): Pair | undefined {
  if (outputs.length !== 2) return undefined;
  const [a, b] = outputs.map(({ shape: s }) => (s.length === 2 ? [1, ...s] : s)) as [Shape, Shape];
  if (a.length !== 3 || b.length !== 3) return undefined;
  const called = outputs.map(({ name }) => /box|loc|coord/i.test(name));
  const [first, second] = [besides(a, b, 0), besides(b, a, 1)];
  return first && second && called[1] && !called[0] ? second : (first ?? second);
}

export interface Pair {
  readonly boxes: 0 | 1;
  readonly classes: number;
  /** Axes of the scores behind the batch. */
  readonly scores: "places first" | "classes first";
}

/** Scores beside boxes [B, N, 4]; undefined where one of them is none. */
function besides(boxes: Shape, scores: Shape, at: 0 | 1): Pair | undefined {
  const [, places, four] = boxes;
  if (four !== 4) return undefined;
  if (scores[1] === places) return { boxes: at, classes: scores[2]!, scores: "places first" };
  return scores[2] === places ? { boxes: at, classes: scores[1]!, scores: "classes first" } : undefined;
}
