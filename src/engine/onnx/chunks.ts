/**
 * Bytes in order, in pieces: what is written to a file or handed to a runtime. Weights are the caller's own arrays, so that a file of
 * gigabytes is never in memory a second time.
 */
export interface Chunks {
  readonly chunks: readonly Uint8Array[];
  readonly length: number;
}

/** All bytes in one new array with a buffer of its own. */
export function join({ chunks, length }: Chunks): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** The bytes of an array of any type, without a copy. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
