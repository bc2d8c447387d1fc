import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { tensor } from "../../../engine/tensor/tensor.js";
import type { Dataset } from "../dataset.js";
import { DataError } from "../error.js";
import { labels, picture } from "../testing/pictures.js";
import { type OpenOptions, openDataset } from "./open.js";
import { openParquet } from "./parquet-file.js";

const fixtures = "fixtures/parquet";
const root = mkdtempSync(join(tmpdir(), "faultline-parquet-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const classified: OpenOptions = { task: "classification" };
const first = `${fixtures}/pets/data/train-00000-of-00002.parquet`;

it("reads shards, groups of rows, snappy and zstd, names of classes", async () => {
  const dataset = await openDataset(`${fixtures}/pets`, { ...classified, split: "train" });
  expect(dataset).toMatchObject({ name: "parquet", length: 5, classNames: ["cat", "dog", "newt"] });
  expect(dataset.describe()).toBe(
    "5 samples for classification from 2 shards of the split train from fixtures/parquet/pets (Parquet), pictures from the column image, labels from label.",
  );
  // Out of order, and at once.
  const samples = await Promise.all([4, 0, 2, 1, 3, 0].map((i) => dataset.sample(i)));
  expect(samples.map((s) => s.id)).toEqual([
    "train-00001-of-00002/1-pet_4",
    "train-00000-of-00002/0-pet_0",
    "train-00000-of-00002/2-pet_2",
    "train-00000-of-00002/1-pet_1",
    "train-00001-of-00002/0-pet_3",
    "train-00000-of-00002/0-pet_0",
  ]);
  expect(samples.map((s) => Number(s.target!.data[0]))).toEqual([1, 2, 1, 0, 1, 2]);
  expect(samples.map((s) => s.inputs.image)).toEqual([4, 0, 2, 1, 3, 0].map(picture));
});

it("takes the split for tests where none is named, says which shards are missing, and has no truth where it is not given out", async () => {
  const dataset = await openDataset(`${fixtures}/pets`, classified);
  expect(dataset.describe()).toMatch(
    /^1 samples? for classification from 1 of 3 \(the others are not there\) shards of the split test/,
  );
  expect(await dataset.sample(0)).toEqual({ id: "test-00000-of-00003/0-pet_5", inputs: { image: picture(5) } });
  await expect(openDataset(`${fixtures}/pets`, { ...classified, split: "val" })).rejects.toThrow(
    'fixtures/parquet/pets has no split "val"; it has test, train.',
  );
});

it("reads masks, one file by its name, plain bytes", async () => {
  const scenes = await openDataset(`${fixtures}/scenes/validation.parquet`, { task: "segmentation" });
  expect(scenes).toMatchObject({ length: 2, ignoreLabel: 255 });
  expect(await scenes.sample(1)).toEqual({ id: "validation/1", inputs: { image: picture(1) }, target: labels([1, 2]) });
  expect((await scenes.sample(0)).target).toEqual(labels([0, 1, 2, 255]));
  // A mask is a picture too, and no class.
  const classes = await openDataset(`${fixtures}/scenes`, classified);
  expect(classes.describe()).toMatch(/without labels \(columns: image, annotation\)/);

  await expect(openDataset(`${fixtures}/plain`, classified)).rejects.toThrow(
    /the truth for classification may be fine or coarse; say which with --variant/,
  );
  const coarse = await openDataset(`${fixtures}/plain`, { ...classified, variant: "coarse" });
  expect(await coarse.sample(0)).toEqual({ id: "0000/0", inputs: { image: picture(0) }, target: tensor("int64", [], [1]) });
  await expect(openDataset(`${fixtures}/plain`, { ...classified, variant: "name" })).rejects.toThrow(
    /no column name that holds classes; its columns are img, fine, coarse, name/,
  );
});

it("says in one sentence what is wrong with a file", async () => {
  const bytes = readFileSync(first);
  const put = (name: string, content: Uint8Array) => {
    writeFileSync(join(root, name), content);
    return join(root, name);
  };
  await expect(openDataset(`${fixtures}/numbers`, classified)).rejects.toThrow(
    /numbers\.parquet has no column of pictures \(bytes, or bytes with a path\); its columns are x, name/,
  );
  for (const [name, content] of [
    ["short.parquet", bytes.subarray(0, 900)],
    ["text.parquet", new TextEncoder().encode("hello")],
    ["empty.parquet", new Uint8Array()],
  ] as const) {
    const path = put(name, content);
    await expect(openDataset(path, classified), name).rejects.toThrow(/is no Parquet file that can be read, or is cut short \(/);
    await expect(openDataset(path, classified), name).rejects.toThrow(DataError);
  }
  // The rows are damaged, the footer is not.
  const damaged = Uint8Array.from(bytes);
  damaged.fill(0xff, 10, 60);
  await expect((await openDataset(put("damaged.parquet", damaged), classified)).sample(0)).rejects.toThrow(
    /damaged\.parquet is damaged \(/,
  );
  // A codec that nobody has: LZO is number 3, field 4 of a chunk's metadata, where snappy is number 1.
  const codecs = await Promise.all(
    [...bytes.keys()]
      .filter((i) => bytes[i] === 0x15 && bytes[i + 1] === 0x02)
      .map(async (i) => {
        const patched = Uint8Array.from(bytes);
        patched[i + 1] = 0x06;
        const file = await openParquet(put(`codec-${i}.parquet`, patched)).catch(() => undefined);
        try {
          file?.checkCodecs(["image", "label"]);
          return "";
        } catch (error) {
          return (error as Error).message;
        }
      }),
  );
  expect(codecs.find((message) => message.includes("compressed with LZO"))).toMatch(
    /the column (image|label) is compressed with LZO, which is not read; write the file again with snappy, gzip, brotli, zstd or without compression\.$/,
  );
});

it("holds shards against each other", async () => {
  mkdirSync(join(root, "mixed"));
  copyFileSync(first, join(root, "mixed", "train-0.parquet"));
  copyFileSync(`${fixtures}/scenes/validation.parquet`, join(root, "mixed", "train-1.parquet"));
  await expect(openDataset(join(root, "mixed"), classified)).rejects.toThrow(
    /train-1\.parquet has no column label, which .*train-0\.parquet has/,
  );
});

describe("objects", () => {
  const detected: OpenOptions = { task: "detection" };
  const boxesOf = async (dataset: Dataset, i: number) => (await dataset.sample(i)).target;

  it("as corner and sides in columns, with the size of the picture and names of classes", async () => {
    const dataset = await openDataset(`${fixtures}/objects/corner-and-sides.parquet`, detected);
    expect(dataset).toMatchObject({ length: 2, classNames: ["cat", "dog", "newt"] });
    expect(dataset.describe()).toMatch(/labels from objects, whose boxes are xywh \(of the first ones no other form fits\)\.$/);
    const rows = [...[40, 30, 56, 40, 2, 1, 160], ...[50, 2, 55, 8, 0, 1, 30]];
    expect(await boxesOf(dataset, 0)).toEqual(tensor("float32", [2, 7], rows));
    expect(await boxesOf(dataset, 1)).toEqual(tensor("float32", [0, 6], []));
  });

  it("as two corners in a list, which look like corner and sides; crowds; objects that are not given out", async () => {
    const dataset = await openDataset(`${fixtures}/objects/two-corners.parquet`, detected);
    expect(dataset.classNames).toEqual(["cat", "dog", "newt"]);
    expect(dataset.describe()).toMatch(/whose boxes are xyxy/);
    const rows = [...[40, 30, 56, 40, 1, 1, 100.5], ...[0, 0, 64, 48, 2, 2, 900]];
    expect(await boxesOf(dataset, 0)).toEqual(tensor("float32", [2, 7], rows));
    expect(await boxesOf(dataset, 1)).toBeUndefined();
  });

  it("whose boxes may be in two forms are refused until somebody says which, and a wrong word is refused too", async () => {
    const path = `${fixtures}/objects/either.parquet`;
    await expect(openDataset(path, detected)).rejects.toThrow(
      `${path}: by the only box that was looked at nobody can tell whether boxes are xywh or xyxy; the first is [2, 3, 20, 30] in a picture of 64x48. Say --variant xywh or --variant xyxy.`,
    );
    const said = await openDataset(path, { ...detected, variant: "objects:xyxy" });
    expect(await boxesOf(said, 0)).toEqual(tensor("float32", [1, 6], [2, 3, 20, 30, 0, 1]));
    expect(await boxesOf(await openDataset(path, { ...detected, variant: "xywh" }), 0)).toEqual(
      tensor("float32", [1, 6], [2, 3, 22, 33, 0, 1]),
    );
    await expect(openDataset(`${fixtures}/objects/two-corners.parquet`, { ...detected, variant: "xywh" })).rejects.toThrow(
      "the boxes are not xywh (of 2 boxes that were looked at, 50 % would lie within their picture); they may be xyxy.",
    );
    await expect(openDataset(path, { ...detected, variant: "faces" })).rejects.toThrow("no column faces that holds boxes");
  });
});
