import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { hashFile } from "../hash-file.js";

/**
 * SHA-256 of a module as it runs: of its file where it stands alone; where it imports others by relative paths, of all of their files, each with its
 * path from the module. Packages are not looked into.
 */
export async function hashModule(path: string): Promise<string> {
  const root = resolve(path);
  const files = await withImports(root);
  if (files.length === 1) return hashFile(root);
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(`${relative(resolve(root, ".."), file)} ${await hashFile(file)}\n`);
  return hash.digest("hex");
}

/** The files that a module is made of, itself first. */
async function withImports(root: string): Promise<string[]> {
  const files = new Set([root]);
  for (const file of files) for (const imported of await importsOf(file)) if (existsSync(imported)) files.add(imported);
  return [...files];
}

async function importsOf(file: string): Promise<readonly string[]> {
  const { init, parse } = await import("es-module-lexer");
  await init;
  const source = await readFile(file, "utf8");
  try {
    const [imports] = parse(source);
    return imports.flatMap(({ n }) =>
      n !== undefined && /^\.{0,2}\//.test(n) ? [fileURLToPath(new URL(n, pathToFileURL(file)))] : [],
    );
  } catch {
    // data, or a mistake that importing it will name
    return [];
  }
}
