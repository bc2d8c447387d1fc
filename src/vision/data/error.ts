/** Data that cannot be read or used: a damaged file, a layout that is not recognized, a shape that does not fit. */
export class DataError extends Error {
  override readonly name = "DataError";
}
