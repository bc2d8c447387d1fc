/** A criticality run cannot do what was asked: one sentence. */
export class CriticalityError extends Error {
  override readonly name = "CriticalityError";
}
