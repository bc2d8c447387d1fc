/** What is wrong with a checkpoint: one sentence that says what, where and what to do. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}
