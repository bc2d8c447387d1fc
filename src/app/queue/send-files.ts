import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { hashFile } from "../hash-file.js";
import type { Part, SentFile } from "./message.js";
import { partSize } from "./names.js";

/**
 * The files of a finished run in parts of at most `partSize` bytes, in memory one at a time. The first part names the files with their sizes and hashes;
 * the bytes follow, file after file.
 */
export async function* partsOf(
  folder: string,
  about: Pick<Part, "key" | "worker">,
): AsyncGenerator<{ part: Part; payload: Buffer }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name))
    .sort();
  const files: SentFile[] = [];
  for (const path of paths)
    files.push({
      path: relative(folder, path).split(sep).join("/"),
      size: (await stat(path)).size,
      sha256: await hashFile(path),
    });
  const delivery = randomUUID();
  let [number, waiting, size] = [0, [] as Uint8Array[], 0];
  const take = () => {
    const part: Part = { kind: "part", ...about, delivery, part: number, files: number === 0 ? files : [] };
    const payload = Buffer.concat(waiting);
    [number, waiting, size] = [number + 1, [], 0];
    return { part, payload };
  };
  for (const path of paths)
    for await (const chunk of createReadStream(path, { highWaterMark: partSize / 4 })) {
      if (size + (chunk as Buffer).length > partSize) yield take();
      waiting.push(chunk as Buffer);
      size += (chunk as Buffer).length;
    }
  if (size > 0 || number === 0) yield take();
}
