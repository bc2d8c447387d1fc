/** An attack that cannot be run as asked: one sentence that says what, and what to do. */
export class AttackError extends Error {
  override readonly name = "AttackError";
}
