import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** SHA-256 of a file, as hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

/** Eight hexadecimal digits that tell settings apart: the same JSON has the same ones. For names of folders. */
export const shortHash = (settings: unknown): string =>
  createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 8);
