import type { AttackRecord } from "../run-attack.js";
import type { FeedingEvidence } from "./feeding.js";

/** What the audit judges: the run's records and what was measured again. */
export interface Evidence {
  readonly records: readonly AttackRecord[];
  readonly files: readonly FileEvidence[];
  readonly trials: readonly Trial[];
  /** What an attack without gradients does in the same ball. */
  readonly blackBox?: readonly BlackBoxTrial[];
  readonly levels: LevelEvidence | undefined;
  /** How the model does under other ways of feeding it. */
  readonly feeding: FeedingEvidence | undefined;
  /** SHA-256 of the model file now. */
  readonly modelHash: string;
}

/** A saved image, read again and compared with the clean one. */
export interface FileEvidence {
  readonly sample: string;
  /** Why it could not be compared. */
  readonly problem?: string;
  /** Size of the perturbation in the run's norm, over all images of the sample. */
  readonly size: number;
  /** Whether pixels changed that must not: of an image that is not perturbed, or outside the region. */
  readonly trespass: boolean;
}

/** A small Square on one sample. */
export interface BlackBoxTrial {
  readonly sample: string;
  /** What the run's attack gained, and what Square did, in the loss. */
  readonly attack: number;
  readonly blackBox: number;
  /** Whether Square has what the attacker wants. */
  readonly won: boolean;
  readonly queries: number;
}

/** Extra computations on one sample. All losses are the attack's own. */
export interface Trial {
  readonly sample: string;
  readonly clean: number;
  /** What the run reached, as a float image. */
  readonly attack: number;
  /** Whether the attacker has what he wants, where a sample has one class. */
  readonly won?: boolean;
  /** Where the search begins: at the clean image, or elsewhere. */
  readonly start: "clean" | "elsewhere";
  /** The same attack in a ball that holds nearly every image; undefined where it steps along no gradient. */
  readonly huge: HugeTrial | undefined;
  /** Furthest loss of random points of the run's own ball. */
  readonly noise: { readonly trials: number; readonly uniform: number; readonly sign: number };
  /** Weights of the pixels near the clean and near the adversarial image, for weighted attacks. */
  readonly weights: readonly WeightSpread[];
  /** Of the gradient in the first step: elements that are not zero but too small for float32's full precision. */
  readonly underflow: number;
  /** Whether the same image gave the same prediction twice. */
  readonly repeatable: boolean;
}

/** Where the search in the huge ball came to. */
export interface HugeTrial {
  readonly loss: number;
  /** Share of pixels that are right (or show the target). */
  readonly correct: number;
  /** Of the longest search that was made. */
  readonly steps: number;
}

export interface WeightSpread {
  readonly attack: string;
  readonly near: "clean" | "adversarial";
  readonly least: number;
  readonly mean: number;
  readonly most: number;
}

export interface LevelEvidence {
  readonly sample: string;
  /** ‖g_disabled - g_all‖₂ / ‖g_disabled‖₂ */
  readonly gradient: number;
}
