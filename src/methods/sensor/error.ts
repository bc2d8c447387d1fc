/** A sensor that cannot be as asked: one sentence. */
export class SensorError extends Error {
  override readonly name = "SensorError";
}
