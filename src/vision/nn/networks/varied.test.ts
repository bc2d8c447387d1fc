import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { boundedNafnet, plainNafnet, widerNafnet } from "../../../../examples/varied-network.js";
import type { Engine } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { initialState, type Network, networkModel } from "../model.js";
import * as networks from "./index.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const shapes = { image: [1, 3, 16, 16] };
const random = new Random(0, "varied");
const image = tensor(
  "float32",
  shapes.image,
  Float32Array.from({ length: 768 }, () => random.uniform(0, 1)),
);

/** With scales other than the zero that they begin with, so that the blocks count. */
const weightsOf = (network: Network) =>
  new Map(
    [...initialState(network, shapes, 7)].map(([name, t]) => [
      name,
      /\.(beta|gamma)$/.test(name)
        ? (tensor(
            "float32",
            t.shape,
            toNumbers(t).map(() => 0.3),
          ) as Tensor)
        : t,
    ]),
  );

async function outputOf(network: Network, weights = weightsOf(network)): Promise<number[]> {
  const program = await engine.compile(networkModel(network, weights, shapes));
  const out = await program.run({ image });
  program.dispose();
  return toNumbers(Object.values(out)[0]!);
}

it("another gate: NAFNet's checkpoint fits, and another image comes out", async () => {
  const weights = weightsOf(plainNafnet);
  expect([...weightsOf(boundedNafnet).keys()]).toEqual([...weights.keys()]);
  const [plain, bounded] = [await outputOf(plainNafnet, weights), await outputOf(boundedNafnet, weights)];
  expect(plain.some((v, i) => Math.abs(v - bounded[i]!) > 1e-3)).toBe(true);
});

it("other blocks: their parameters are added, and theirs alone", async () => {
  const added = [...weightsOf(widerNafnet).keys()].filter((name) => !weightsOf(plainNafnet).has(name));
  expect(new Set(added.map((name) => name.replace(/\d+/g, "#")))).toEqual(
    new Set(
      ["encoders", "middle_blks", "decoders"].flatMap((place) =>
        ["weight", "bias"].map((kind) => `${place}${place === "middle_blks" ? "" : ".#"}.#.wider.${kind}`),
      ),
    ),
  );
  expect(await outputOf(widerNafnet)).toHaveLength(768);
});

it("every network is a function of the package, and its blocks are", () => {
  const families = ["nafnet", "restormer", "unet", "convnextUnet", "resnet", "segmentationNetwork", "flow", "stereo"];
  const blocks = [
    "nafBlock",
    "transformerBlock",
    "doubleConv",
    "convnextBlock",
    "basicBlock",
    "bottleneck",
    "deeplabHead",
    "pspHead",
  ];
  for (const name of [...families, ...blocks]) expect(networks, name).toHaveProperty(name, expect.any(Function));
});

it("docs/adding-a-network.md shows varied-network.ts as it is", () => {
  const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
  expect(read("docs/adding-a-network.md")).toContain(
    read("examples/varied-network.ts").replace('"../src/index.js"', '"faultline"'),
  );
});
