/** A training set-up that cannot work: one sentence. */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
}
