import { createHash, type Hash } from "node:crypto";
import type { Dataset } from "../../vision/data/dataset.js";
import { DataError } from "../../vision/data/error.js";

/**
 * SHA-256 of what a data set holds at its beginning, middle and end: names, pictures and truth. It tells data sets apart whatever their paths are, and
 * costs three samples however many there are.
 */
export async function fingerprintOf(dataset: Dataset): Promise<string> {
  const hash = createHash("sha256").update(`${dataset.length}`);
  for (const index of new Set([0, Math.floor(dataset.length / 2), dataset.length - 1])) await hashSample(hash, dataset, index);
  return hash.digest("hex");
}

/** Adds a sample's name, pictures and truth; one that cannot be read counts as that. */
export async function hashSample(hash: Hash, dataset: Dataset, index: number): Promise<void> {
  const sample = await dataset.sample(index).catch((error: unknown) => {
    if (error instanceof DataError) return undefined;
    throw error;
  });
  hash.update(sample ? sample.id : "cannot be read");
  for (const t of [...Object.values(sample?.inputs ?? {}), sample?.target, sample?.valid])
    if (t) hash.update(new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength));
}
