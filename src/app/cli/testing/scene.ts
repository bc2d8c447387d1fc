import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { vi } from "vitest";
import { Graph } from "../../../engine/graph/graph.js";
import { saveModel } from "../../../engine/onnx/write-file.js";
import { concat, conv, depthToSpace, tanh } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { tensor } from "../../../engine/tensor/tensor.js";
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

/** A labeled data set for segmentation, of 12x14 images where no size is given: `images/` and `labels/`. */
export async function writeScenes(
  folder: string,
  count: number,
  label: (pixel: number) => number = (i) => i % 5,
  { height, width } = { height: 12, width: 14 },
): Promise<void> {
  mkdirSync(join(folder, "images"), { recursive: true });
  mkdirSync(join(folder, "labels"), { recursive: true });
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

/**
 * One 3x3 convolution with a curve, from one or two images of any size to `channels` planes of the size, or `enlarge` times the size.
 */
export async function writeConvolution(path: string, channels: number, { images = 1, enlarge = 1 } = {}): Promise<void> {
  const graph = new Graph();
  const random = new Random(2, path.replace(/.*\//, ""));
  const inputs = Array.from({ length: images }, (_, i) => graph.input(`image${i}`, "float32", [1, 3, 8, 8]));
  const planes = channels * enlarge ** 2;
  const weight = tensor(
    "float32",
    [planes, 3 * images, 3, 3],
    Float32Array.from({ length: planes * 27 * images }, () => random.uniform(-1, 1)),
  );
  const y = tanh(conv(concat(inputs, 1), graph.constant(weight), { pads: [1, 1, 1, 1] }));
  graph.output("y", enlarge === 1 ? y : depthToSpace(y, enlarge, "CRD"));
  const model = graph.build();
  const free = ["n", 3, "h", "w"];
  await saveModel(
    {
      ...model,
      graph: {
        ...model.graph,
        inputs: model.graph.inputs.map((i) => ({ ...i, shape: free })),
        outputs: model.graph.outputs.map((o) => ({ ...o, shape: undefined })),
      },
    },
    path,
  );
}

/** Cuts a picture short. */
export const damage = (folder: string, n: number): void =>
  writeFileSync(join(folder, "images", `scene_${n}.png`), "not a picture");
