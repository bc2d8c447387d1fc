import type { Tensor } from "../../engine/tensor/tensor.js";
import type { StepRecord } from "./outcome.js";

/** One batch to attack. Images are [B, C, H, W] in [0, 1]. */
export interface AttackBatch {
  readonly images: Readonly<Record<string, Tensor<"float32">>>;
  /** What the task calls a target: ground truth (untargeted) or what the attacker wants to see (targeted). */
  readonly target: Tensor;
  readonly valid?: Tensor<"float32">;
  readonly region?: Tensor<"float32">;
  /** Raw start noise by role (uniform in [-1, 1], but for starts inside the ball); default drawn from `seed` and the samples' names. */
  readonly start?: Readonly<Record<string, Tensor<"float32">>>;
  /** A stable name for each sample: its random numbers depend on it and the seed alone, not on the batch or order it came in. */
  readonly samples: readonly string[];
  readonly seed: number | string;
  /** Where the search begins, by role, in place of the clean images; for attacks that start there. */
  readonly from?: Readonly<Record<string, Tensor<"float32">>>;
}

/** Everything about one step; tensors are copied to the main thread only where a trace is asked for. */
export interface TraceStep extends StepRecord {
  readonly x: Readonly<Record<string, Tensor>>;
  readonly gradient: Readonly<Record<string, Tensor>>;
  readonly weight: Tensor;
  readonly state: Readonly<Record<string, Tensor>>;
}

export interface AttackHooks {
  /** Called after each step. */
  readonly onStep?: (record: StepRecord) => void;
  readonly onTrace?: (step: TraceStep) => void;
  /** Stops between steps. */
  readonly signal?: AbortSignal;
}
