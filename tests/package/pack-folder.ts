import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Where `pack` makes the package once for all test files. */
    readonly packFolder: string;
  }
}

/** An empty folder for the length of a test run. */
export default function packFolder({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "faultline-pack-"));
  provide("packFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
