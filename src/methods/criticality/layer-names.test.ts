import { describe, expect, it } from "vitest";
import { stagesOf } from "./layer-names.js";

const stages = (...names: string[]) => stagesOf(names.map((name) => ({ name, resolution: "8x8", kind: "convolution" as const })));

const resnet = (blocks: readonly number[]) => [
  "conv1",
  ...blocks.flatMap((n, stage) =>
    Array.from({ length: n }, (_, block) => [1, 2, 3].map((conv) => `layer${stage + 1}.${block}.conv${conv}`)).flat(),
  ),
  "fc",
];

describe("stages", () => {
  it("are the first parts of the names, however long one of them is", () => {
    const names = resnet([3, 4, 23, 3]);
    expect(stages(...names)).toEqual(names.map((name) => name.split(".")[0]));
  });

  it("are the blocks where these are most of the network", () => {
    const inBlock = (block: string) => ["qkv", "proj", "mlp.0", "mlp.2"].map((layer) => `${block}.${layer}`);
    expect(stages("patch_embed", ...inBlock("blocks.0"), ...inBlock("blocks.1"), "head")).toEqual([
      "patch_embed",
      ...new Array(4).fill("blocks.0"),
      ...new Array(4).fill("blocks.1"),
      "head",
    ]);
    expect(
      stages("vit.embeddings.projection", ...inBlock("vit.encoder.layer.0"), ...inBlock("vit.encoder.layer.1"), "classifier"),
    ).toEqual([
      "vit.embeddings",
      ...new Array(4).fill("vit.encoder.layer.0"),
      ...new Array(4).fill("vit.encoder.layer.1"),
      "classifier",
    ]);
  });

  it("stay whole where every member is a layer of its own, and are resolutions where names say nothing", () => {
    const vgg = ["features.0", "features.2", "features.5", "features.7", "classifier.0", "classifier.3"];
    expect(stages(...vgg)).toEqual(vgg.map((name) => name.split(".")[0]));
    expect(stages("conv2d_0", "conv2d_1", "conv2d_2")).toEqual(["8x8", "8x8", "8x8"]);
  });
});
