/** A run directory cannot be used as asked: one sentence. */
export class RunError extends Error {
  override readonly name = "RunError";
}
