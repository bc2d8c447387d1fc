import { existsSync, readFileSync } from "node:fs";
import type { GoldenCase, GoldenFiles } from "./golden-case.js";

export interface GoldenFolder {
  readonly path: URL;
  readonly cases: readonly GoldenCase[];
}

/** The first of the folders that exists, with its manifest. */
export function openGoldenFolder(...candidates: readonly URL[]): GoldenFolder | undefined {
  const path = candidates.find((c) => existsSync(new URL("manifest.json", c)));
  if (!path) return undefined;
  return { path, cases: JSON.parse(readFileSync(new URL("manifest.json", path), "utf8")) };
}

export function readGolden({ path }: GoldenFolder, { name }: GoldenCase): GoldenFiles {
  const read = (extension: string) => new Uint8Array(readFileSync(new URL(`${name}.${extension}`, path)));
  return { onnx: read("onnx"), safetensors: read("safetensors") };
}
