import { describe, expect, it } from "vitest";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { taskNames } from "../../tasks/names.js";
import { type Dataset, datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { naturalOrder } from "../natural-order.js";
import { disparityAt, flowAt, height, isKnown, pictureValue, width } from "../testing/fixture-values.js";
import { type OpenOptions, openDataset } from "./open.js";

const fixtures = "fixtures/data";
const pixels = Array.from({ length: width * height }, (_, i) => ({ x: i % width, y: Math.floor(i / width) }));
const all = <T>(at: (x: number, y: number) => T) => pixels.map(({ x, y }) => at(x, y));

const picture = (salt: number) =>
  tensor(
    "float32",
    [3, height, width],
    [0, 1, 2].flatMap((c) => all((x, y) => pictureValue(x, y, c, salt) / 255)),
  );
const gray = (level: number) => tensor("float32", [3, height, width], new Float32Array(3 * width * height).fill(level / 255));
const labels = (values: number[]) =>
  tensor(
    "int32",
    [height, width],
    pixels.map((_, i) => values[i % values.length]!),
  );
const mask = (at: (x: number, y: number) => boolean) =>
  tensor(
    "bool",
    [height, width],
    all((x, y) => (at(x, y) ? 1 : 0)),
  );
const flow = tensor(
  "float32",
  [2, height, width],
  [0, 1].flatMap((c) => all((x, y) => flowAt(x, y)[c]!)),
);
const disparity = tensor("float32", [1, height, width], all(disparityAt));
const everywhere = mask(() => true);
const known = mask(isKnown);

/** As stored by KITTI: nothing where unknown. */
function onlyKnown(target: Tensor<"float32">) {
  return tensor(
    "float32",
    target.shape,
    target.data.map((v, i) => (known.data[i % known.data.length] === 1 ? v : 0)),
  );
}

const open = (name: string, options: OpenOptions) => openDataset(`${fixtures}/${name}`, options);
const ids = async (dataset: Dataset) =>
  Promise.all(Array.from({ length: dataset.length }, async (_, i) => (await dataset.sample(i)).id));

describe("plain folders", () => {
  it("gives pictures without labels in natural order", async () => {
    for (const task of ["classification", "segmentation", "restoration"] as const) {
      const dataset = await open("flat", { task });
      expect(await ids(dataset)).toEqual(["picture_2", "picture_10"]);
      expect(await dataset.sample(1)).toEqual({ id: "picture_10", inputs: { image: picture(1) } });
      expect(dataset.describe()).toBe(`2 samples for ${task} from the folder fixtures/data/flat, without labels.`);
    }
  });

  it("takes the frames of one folder as consecutive pairs for flow", async () => {
    const dataset = await open("flat", { task: "flow" });
    expect(dataset.length).toBe(1);
    expect(await dataset.sample(0)).toEqual({ id: "picture_2", inputs: { image1: picture(0), image2: picture(1) } });
  });

  it("reads the labels of each task", async () => {
    const classification = await open("folder-classification", { task: "classification" });
    expect((await classification.sample(1)).target).toEqual(tensor("int64", [], [4]));
    const segmentation = await open("folder-segmentation", { task: "segmentation" });
    expect(segmentation).toMatchObject({ name: "folder", ignoreLabel: 255 });
    expect((await segmentation.sample(0)).target).toEqual(labels([0, 1, 2, 255]));
    const restoration = await open("folder-restoration", { task: "restoration" });
    expect(await restoration.sample(1)).toEqual({ id: "picture_10", inputs: { image: picture(1) }, target: picture(11) });
    const stereo = await (await open("folder-disparity", { task: "disparity" })).sample(0);
    expect(stereo).toEqual({
      id: "picture_2",
      inputs: { left: picture(0), right: picture(10) },
      target: disparity,
      valid: everywhere,
    });
    const pair = await (await open("folder-flow", { task: "flow" })).sample(0);
    expect(pair).toEqual({
      id: "picture_2",
      inputs: { image1: picture(0), image2: picture(10) },
      target: flow,
      valid: everywhere,
    });
  });
});

describe("ImageNet", () => {
  it("numbers class folders in code-unit order, files within them in natural order", async () => {
    const dataset = await open("imagenet", { task: "classification" });
    expect(dataset).toMatchObject({ name: "imagenet", classNames: ["tench, Tinca tinca", "goldfish"] });
    expect(await ids(dataset)).toEqual(["n10/b", "n9/a_2", "n9/a_10"]);
    expect(await dataset.sample(2)).toEqual({ id: "n9/a_10", inputs: { image: gray(30) }, target: tensor("int64", [], [1]) });
  });

  it("reads a list", async () => {
    const dataset = await open("imagenet-list", { task: "classification" });
    expect((await dataset.sample(1)).target).toEqual(tensor("int64", [], [970]));
    expect((await dataset.sample(1)).inputs.image).toEqual(gray(50));
  });

  it("takes numbers as folder names for class indices", async () => {
    const dataset = await open("imagenet-numbered", { task: "classification" });
    expect((await dataset.sample(2)).target).toEqual(tensor("int64", [], [10]));
  });
});

describe("segmentation", () => {
  it("reads VOC's palette indices with the void border", async () => {
    const dataset = await open("voc", { task: "segmentation" });
    expect(dataset).toMatchObject({ name: "voc", length: 2, ignoreLabel: 255 });
    expect(await dataset.sample(0)).toEqual({ id: "2007_000033", inputs: { image: gray(60) }, target: labels([0, 1, 20, 255]) });
  });

  it("fails for one damaged picture alone", async () => {
    const dataset = await open("voc", { task: "segmentation" });
    await expect(dataset.sample(1)).rejects.toThrow(DataError);
    await expect(dataset.sample(1)).rejects.toThrow(/2007_000042\.jpg: this is not a picture/);
    expect((await dataset.sample(0)).id).toBe("2007_000033");
  });

  it("maps Cityscapes' label ids to train ids", async () => {
    const dataset = await open("cityscapes", { task: "segmentation" });
    const sample = await dataset.sample(0);
    expect(sample.id).toBe("frankfurt/frankfurt_000000_000294");
    expect(sample.target).toEqual(labels([0, 255, 18, 1, 13, 255]));
    expect(sample.inputs.image).toEqual(picture(3));
  });

  it("shifts ADE20K's labels and ignores 0", async () => {
    const dataset = await open("ade20k", { task: "segmentation" });
    expect((await dataset.sample(0)).target).toEqual(labels([255, 0, 149]));
  });
});

describe("flow", () => {
  it("reads KITTI with occlusions", async () => {
    const sample = await (await open("kitti", { task: "flow" })).sample(0);
    expect(sample).toEqual({
      id: "000000_10",
      inputs: { image1: picture(1), image2: picture(2) },
      target: onlyKnown(flow),
      valid: known,
      occluded: mask((x, y) => isKnown(x, y) && x === 0),
    });
  });

  it("reads both of Sintel's variants and leaves invalid pixels out", async () => {
    const clean = await open("sintel", { task: "flow" });
    expect(await ids(clean)).toEqual(["alley_1/frame_0001", "alley_1/frame_0002"]);
    expect(await clean.sample(1)).toEqual({
      id: "alley_1/frame_0002",
      inputs: { image1: picture(1), image2: picture(2) },
      target: flow,
      valid: known,
      occluded: mask((x) => x === 0),
    });
    const final = await open("sintel", { task: "flow", variant: "final" });
    expect((await final.sample(0)).inputs).toEqual({ image1: picture(10), image2: picture(11) });
  });

  it("reads FlyingThings3D", async () => {
    const dataset = await open("flying-things", { task: "flow" });
    expect(dataset.length).toBe(1);
    expect(await dataset.sample(0)).toEqual({
      id: "A/0000/0006",
      inputs: { image1: picture(0), image2: picture(1) },
      target: flow,
      valid: everywhere,
    });
  });

  it("reads FlyingChairs' splits", async () => {
    const dataset = await open("flying-chairs", { task: "flow" });
    expect(dataset.length).toBe(1);
    expect(await dataset.sample(0)).toEqual({
      id: "00002",
      inputs: { image1: picture(1), image2: picture(11) },
      target: flow,
      valid: everywhere,
    });
    expect((await open("flying-chairs", { task: "flow", split: "all" })).length).toBe(2);
  });
});

describe("disparity", () => {
  it("reads KITTI", async () => {
    const sample = await (await open("kitti", { task: "disparity" })).sample(0);
    expect(sample.inputs).toEqual({ left: picture(1), right: picture(3) });
    expect(sample.target).toEqual(onlyKnown(disparity));
    expect(sample.occluded).toEqual(mask((x, y) => isKnown(x, y) && x === 0));
  });

  it("reads FlyingThings3D as positive numbers, whatever sign is stored", async () => {
    const dataset = await open("flying-things", { task: "disparity" });
    for (const i of [0, 1]) {
      const { inputs, target } = await dataset.sample(i);
      expect(inputs).toEqual({ left: picture(i), right: picture(i + 10) });
      expect(target).toEqual(disparity);
    }
  });
});

describe("restoration", () => {
  it("reads both of GoPro's variants", async () => {
    const blur = await open("gopro", { task: "restoration" });
    expect(await blur.sample(0)).toEqual({ id: "GOPR0384_11_00/000001", inputs: { image: picture(1) }, target: picture(3) });
    const gamma = await open("gopro", { task: "restoration", variant: "blur_gamma" });
    expect((await gamma.sample(0)).inputs.image).toEqual(picture(2));
  });
});

describe("openDataset", () => {
  it("says what it looked for when it recognizes nothing", async () => {
    await expect(open("gopro", { task: "flow" })).rejects.toThrow(
      /gopro has no layout known for flow: it holds the folder.* Looked for: kitti \(training\/image_2.*sintel.*folder \(pictures in/,
    );
    await expect(open("nowhere", { task: "flow" })).rejects.toThrow("There is no folder fixtures/data/nowhere.");
  });

  it.each<[string, OpenOptions, RegExp]>([
    ["voc", { task: "flow", format: "voc" }, /voc layout has data for segmentation and detection, not for flow/],
    ["voc", { task: "segmentation", split: "test" }, /no split "test"/],
    ["sintel", { task: "flow", variant: "albedo" }, /clean and final, not "albedo"/],
    ["gopro", { task: "restoration", variant: "sharp" }, /blur and blur_gamma/],
    ["flying-chairs", { task: "flow", split: "test" }, /train, val and all/],
  ])("refuses %s %j", async (name, options, message) => {
    await expect(open(name, options)).rejects.toThrow(DataError);
    await expect(open(name, options)).rejects.toThrow(message);
  });

  it("refuses an index that is not there", async () => {
    const dataset = await open("flat", { task: "segmentation" });
    await expect(dataset.sample(2)).rejects.toThrow("folder has samples 0 to 1; there is no sample 2.");
    await expect(dataset.sample(0.5)).rejects.toThrow(DataError);
  });

  it("refuses a sample whose parts differ in size", async () => {
    const pair = { id: "x", inputs: { image: picture(0) }, target: tensor("int32", [2, 2]) };
    const dataset = datasetOf(
      { name: "odd", task: "segmentation", ignoreLabel: 255, classNames: [] },
      [pair],
      "",
      async (s) => s,
    );
    await expect(dataset.sample(0)).rejects.toThrow("Sample x: image is 4x6 (height x width), but target is 2x2.");
  });

  it("never takes one layout for another", async () => {
    const own = { voc: "voc", cityscapes: "cityscapes", ade20k: "ade20k", gopro: "gopro", imagenet: "imagenet" };
    for (const [name, format] of Object.entries(own)) {
      const opened = await Promise.allSettled(taskNames.map((task) => open(name, { task })));
      const names = opened.flatMap((o) => (o.status === "fulfilled" ? [o.value.name] : []));
      expect(new Set(names.map((n) => n.replace(/-blur$/, ""))), name).toEqual(new Set([format]));
    }
  });
});

describe("naturalOrder", () => {
  it("counts, and is a strict order", () => {
    expect(["b10", "B1", "b9", "b09", "a", "b", ""].sort(naturalOrder)).toEqual(["", "B1", "a", "b", "b09", "b9", "b10"]);
    expect(["10", "9", "x", "1a"].sort(naturalOrder)).toEqual(["1a", "9", "10", "x"]);
  });
});
