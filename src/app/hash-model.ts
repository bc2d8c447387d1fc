import { createHash } from "node:crypto";
import { externalFiles } from "../engine/onnx/read-file.js";
import { hashFile } from "./hash-file.js";

/**
 * SHA-256 of a model: of its file where that holds everything; where weights lie in files beside it, of all of them with their names.
 *
 * @throws ModelError where one is missing.
 */
export async function hashModel(path: string): Promise<string> {
  const beside = await externalFiles(path);
  if (beside.size === 0) return hashFile(path);
  const hash = createHash("sha256").update(`${await hashFile(path)}\n`);
  for (const [name, file] of beside) hash.update(`${name} ${await hashFile(file)}\n`);
  return hash.digest("hex");
}
