/** A sidecar file or flag that does not say what a model expects: one sentence. */
export class SpecError extends Error {
  override readonly name = "SpecError";
}
