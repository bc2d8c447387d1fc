import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { vi } from "vitest";
import { Random } from "../../../engine/tensor/random.js";
import { main } from "../main.js";

/** The small networks of the golden attack traces: [2, 3, 12, 14] in, five classes out, and so on. */
export const network = (task: string): string =>
  fileURLToPath(new URL(`../../../../fixtures/golden/attacks/${task}/network.onnx`, import.meta.url));
export const inputs = (task: string): string => network(task).replace("network.onnx", "inputs.safetensors");

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process. */
export async function faultline(...args: readonly string[]): Promise<Outcome> {
  const texts = { out: "", err: "" };
  const catching = (stream: NodeJS.WriteStream, key: "out" | "err") =>
    vi.spyOn(stream, "write").mockImplementation((text) => {
      texts[key] += String(text);
      return true;
    });
  const spies = [catching(process.stdout, "out"), catching(process.stderr, "err")];
  const before = process.exitCode;
  try {
    return { code: await main(args), ...texts };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = before;
  }
}

/** A folder of its own for the test file; remove it with `remove`. */
export function scratch(): { readonly path: (...names: readonly string[]) => string; readonly remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), "faultline-cli-"));
  return { path: (...names) => join(root, ...names), remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** A labelled data set for segmentation of 12x14 images: `images/` and `labels/`. */
export async function writeScenes(folder: string, count: number, label: (pixel: number) => number = (i) => i % 5): Promise<void> {
  mkdirSync(join(folder, "images"), { recursive: true });
  mkdirSync(join(folder, "labels"), { recursive: true });
  const [height, width] = [12, 14];
  for (let n = 0; n < count; n++) {
    const random = new Random(1, `scene ${n}`);
    const name = `scene_${n}.png`;
    const pixels = Uint8Array.from({ length: 3 * height * width }, () => random.integer(256));
    const labels = Uint8Array.from({ length: height * width }, (_, i) => label(i));
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(folder, "images", name));
    await sharp(labels, { raw: { width, height, channels: 1 } })
      .png()
      .toColourspace("b-w")
      .toFile(join(folder, "labels", name));
  }
}

/** Cuts a picture short. */
export const damage = (folder: string, n: number): void =>
  writeFileSync(join(folder, "images", `scene_${n}.png`), "not a picture");
