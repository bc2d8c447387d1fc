/**
 * What reading a model may use at most, whatever the file claims. Everything allocated is in proportion to bytes that are really
 * there, and never beyond these.
 */
export interface Limits {
  /** Bytes of the file, and bytes of all tensors in it (unpacked and densified ones included). */
  readonly bytes: number;
  /** Bytes of all tensors in external data. `readModel` reads of each such file no more than it holds, whatever the limit. */
  readonly externalBytes: number;
  /** Entries (nodes, attributes, strings in lists ...) of the file. */
  readonly entries: number;
  /** Nodes and function calls of the model while its functions are inlined. */
  readonly nodes: number;
  /** Levels of nested messages; each nested graph takes three. */
  readonly depth: number;
}

/** 2 GB is what a protobuf message may hold; the other limits are far above any real model. */
export const defaultLimits: Limits = {
  bytes: 2 ** 31 - 1,
  externalBytes: 2 ** 40,
  entries: 4_000_000,
  nodes: 200_000,
  depth: 64,
};
