/** A sidecar file or flag that does not say what a model expects: one sentence. */
export class SpecError extends Error {
  override readonly name: string = "SpecError";
}

/** What a model expects and this size of pictures do not go together; another size may. */
export class SizeError extends SpecError {
  override readonly name = "SizeError";
}
