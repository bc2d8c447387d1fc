import type { Random } from "../../../engine/tensor/random.js";
import type { Task } from "../../../vision/tasks/index.js";
import type { Goal } from "../attacked-model.js";

// What an attack that sees predictions alone is: a search in the images of one sample, written as if there were no other. `queried` runs the searches of
// a batch side by side.

/** The images of one sample that may change (one, or the pictures of a pair), each [C, H, W] in [0, 1], flat. */
export type Pictures = readonly Float32Array[];

/** What a search is told of its sample. */
export interface Queried {
  readonly clean: Pictures;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** What the model makes of the clean pictures. */
  readonly judged: Answer;
  /** Answers that it may ask for. */
  readonly queries: number;
  /** Depends on the seed and the sample's name alone. */
  readonly random: Random;
}

/**
 * Pictures to put to the model. Before that they are brought into [0, 1] and, outside the region, back to the clean ones, in place: the search goes on from
 * what was seen. A "candidate" may be the attack's result; a "probe" only tells something (of a gradient).
 */
export interface Question {
  readonly ask: readonly Pictures[];
  readonly as: "candidate" | "probe";
}

export interface Answer {
  /** What the search raises: the loss, or towards a target its negative. */
  readonly objective: number;
  /** Whether the attacker has what he wants: nothing is right any more, or all shows the target. The search ends with the first such candidate. */
  readonly won: boolean;
}

/**
 * Asks as long as it likes; it is ended when it has won, or its queries are used up. The result is the best candidate: the one with fewest right pixels,
 * and of those the one of highest objective (where nothing is right or wrong: of highest objective).
 */
export type Search = Generator<Question, void, readonly Answer[]>;

/** How a search in predictions is made ready: which loss it raises, and the search itself for one sample. */
export interface QuerySearch {
  /** One of the task's losses by name; absent: the task's first. */
  readonly loss?: string | undefined;
  readonly search: (sample: Queried) => Search;
}

/** The margin where the task has it and the goal is to leave a class; else the task's first loss. */
export const usualLoss = ({ losses }: Task, goal: Goal): string | undefined =>
  goal === "untargeted" && losses.margin ? "margin" : undefined;
