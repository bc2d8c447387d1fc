import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { tensor } from "../../../engine/tensor/tensor.js";
import { DataError } from "../error.js";
import { labels, maskPng, picture, picturePng } from "../testing/pictures.js";
import { type Packed, writeTar } from "../testing/write-tar.js";
import { type OpenOptions, openDataset } from "./open.js";

const root = mkdtempSync(join(tmpdir(), "faultline-wds-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const text = (value: string) => new TextEncoder().encode(value);
function put(path: string, bytes: Uint8Array | string): string {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), bytes);
  return join(root, path);
}
const pack = (path: string, members: readonly Packed[]) => put(path, writeTar(members));
const classified: OpenOptions = { task: "classification" };
const truth = (label: number) => tensor("int64", [], [label]);

it("reads shards in natural order, samples in the archive's, classes as text, names of classes beside them", async () => {
  pack("pets/test-10.tar", [
    { name: "z.png", bytes: picturePng(2) },
    { name: "z.cls", bytes: text("0") },
  ]);
  pack("pets/test-9.tar", [
    { name: "./b.cls", bytes: text("1\n") },
    { name: "./b.PNG", bytes: picturePng(0) },
    { name: "./a.png", bytes: picturePng(1) },
    { name: "./a.cls", bytes: text("2") },
    { name: "./a.json", bytes: text("{}") },
  ]);
  pack("pets/train-0.tar", [{ name: "x.png", bytes: picturePng(5) }]);
  put("pets/classnames.txt", "cat\ndog\nnewt\n");
  const dataset = await openDataset(join(root, "pets"), classified);
  expect(dataset).toMatchObject({ name: "webdataset", length: 3, classNames: ["cat", "dog", "newt"] });
  expect(dataset.describe()).toBe(
    `3 samples for classification from 2 shards of the split test from ${join(root, "pets")} (WebDataset), labels from .cls.`,
  );
  const samples = await Promise.all([0, 1, 2].map((i) => dataset.sample(i)));
  expect(samples.map((s) => s.id)).toEqual(["test-9/b", "test-9/a", "test-10/z"]);
  expect(samples.map((s) => s.target)).toEqual([truth(1), truth(2), truth(0)]);
  expect(samples.map((s) => s.inputs.image)).toEqual([picture(0), picture(1), picture(2)]);
  const train = await openDataset(join(root, "pets"), { ...classified, split: "train" });
  expect((await train.sample(0)).target).toBeUndefined();
  expect(train.describe()).toMatch(/without labels \(they hold \.png \(1\)\)/);
  expect((await openDataset(join(root, "pets/train-0.tar"), classified)).length).toBe(1);
  await expect(openDataset(join(root, "pets"), { ...classified, split: "val" })).rejects.toThrow(
    /no split "val"; it has test, train/,
  );
});

it("reads masks, clean pictures, and classes within JSON", async () => {
  const scenes = pack("scenes/0000.tar", [
    { name: "one.png", bytes: maskPng([0, 1, 255]) },
    { name: "one.jpg", bytes: picturePng(1) },
    { name: "two.png", bytes: picturePng(2) },
    { name: "two.mask.png", bytes: maskPng([3]) },
  ]);
  // What is a mask in some samples only is the truth where its name says so.
  const dataset = await openDataset(scenes, { task: "segmentation" });
  expect((await dataset.sample(1)).target).toEqual(labels([3]));
  await expect(dataset.sample(0)).rejects.toThrow("0000/one has no .mask.png; it has .png, .jpg.");
  const png = await openDataset(scenes, { task: "segmentation", variant: "png" });
  expect(await png.sample(0)).toEqual({ id: "0000/one", inputs: { image: picture(1) }, target: labels([0, 1, 255]) });
  await expect(png.sample(1)).rejects.toThrow("0000/two has no picture beside .png, which is to be the truth.");

  const pairs = pack("pairs.tar", [
    { name: "a.input.png", bytes: picturePng(1) },
    { name: "a.target.png", bytes: picturePng(2) },
  ]);
  const pair = await (await openDataset(pairs, { task: "restoration" })).sample(0);
  expect([pair.inputs.image, pair.target]).toEqual([picture(1), picture(2)]);

  const json = pack("json.tar", [
    { name: "a.png", bytes: picturePng(1) },
    { name: "a.json", bytes: text('{"label": 7, "kind": 3}') },
    { name: "b.png", bytes: picturePng(2) },
    { name: "b.json", bytes: text('{"kind": "dog"}') },
  ]);
  expect((await (await openDataset(json, classified)).sample(0)).target).toEqual(truth(7));
  expect((await (await openDataset(json, { ...classified, variant: "json:kind" })).sample(0)).target).toEqual(truth(3));
  await expect((await openDataset(json, classified)).sample(1)).rejects.toThrow(/json has no label.*it has kind.*json:FIELD/);
  await expect((await openDataset(json, { ...classified, variant: "json:kind" })).sample(1)).rejects.toThrow(
    'json/b.json, kind: a class is a whole number from 0, not "dog".',
  );
  await expect(openDataset(json, { ...classified, variant: "cls" })).rejects.toThrow(/samples have no \.cls; they hold \.png/);
});

it("takes names of members for names of samples, never for paths", async () => {
  const long = `${"deep/".repeat(30)}leaf`;
  const archive = pack("hostile.tar", [
    { name: "../../../tmp/evil.png", bytes: picturePng(1) },
    { name: "/etc/passwd.png", bytes: picturePng(2) },
    { name: "new\nline\u001b[31m.png", bytes: picturePng(3) },
    { name: `${long}.png`, bytes: picturePng(4) },
    { name: "link.png", type: "2" },
    { name: "folder.png", type: "5" },
    { name: ".hidden.png", bytes: text("no picture") },
    { name: "__proto__.png", bytes: picturePng(5) },
  ]);
  const before = readdirSync(root).length;
  const dataset = await openDataset(archive, classified);
  const ids = await Promise.all(Array.from({ length: dataset.length }, async (_, i) => (await dataset.sample(i)).id));
  expect(ids).toEqual(["_/_/_/tmp/evil", "etc/passwd", "new_line_[31m", long, "__proto__"].map((id) => `hostile/${id}`));
  expect((await dataset.sample(3)).inputs.image).toEqual(picture(4));
  expect(readdirSync(root).length).toBe(before);
});

it("says in one sentence what is wrong with an archive", async () => {
  const good = writeTar([
    { name: "a.png", bytes: picturePng(1) },
    { name: "b.png", bytes: picturePng(2) },
  ]);
  const damaged = Uint8Array.from(good);
  const second = good.length - 1024 - 1024;
  damaged[second]! ^= 1;
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["short.tar", good.subarray(0, 550), /short\.tar: the archive is cut short: "a\.png" ends at byte \d+, and the file has 550/],
    ["header.tar", good.subarray(0, second + 100), /cut short: it ends at byte \d+, within a header/],
    ["padding.tar", good.subarray(0, second - 100), /cut short: it ends at byte \d+, within a member/],
    ["damaged.tar", damaged, /damaged at byte \d+: there is no header of a member/],
    ["gzip.tar", Uint8Array.of(0x1f, 0x8b, ...new Uint8Array(1000)), /compressed with gzip.*gunzip/],
    ["text.tar", text("hello ".repeat(200)), /text\.tar: this is no tar archive/],
    ["empty.tar", new Uint8Array(1024), /have no pictures: they hold nothing with an extension/],
    ["none.tar", writeTar([{ name: "a.txt", bytes: text("a") }]), /have no pictures: they hold \.txt \(1\)/],
    [
      "twice.tar",
      writeTar([
        { name: "a.png", bytes: picturePng(1) },
        { name: "a.png", bytes: picturePng(1) },
      ]),
      /twice\.tar has a\.png twice/,
    ],
  ];
  for (const [name, bytes, message] of cases) {
    const path = put(name, bytes);
    await expect(openDataset(path, classified), name).rejects.toThrow(message);
    await expect(openDataset(path, classified), name).rejects.toThrow(DataError);
  }
  // Cut between two members: it can be read, and is said.
  const unended = await openDataset(put("unended.tar", good.subarray(0, second)), classified);
  expect(unended.describe()).toMatch(/; unended has no end mark and may be cut short\.$/);
  const broken = await openDataset(pack("broken.tar", [{ name: "a.png", bytes: text("no picture") }]), classified);
  await expect(broken.sample(0)).rejects.toThrow(/^broken\/a: this is not a picture/);
  await expect(openDataset(put("some.txt", "x"), classified)).rejects.toThrow(
    /some\.txt is a file; a data set is a folder, or a file of the kind \.parquet or \.tar\./,
  );
  await expect(openDataset(join(root, "unended.tar"), { task: "flow" })).rejects.toThrow(
    /webdataset layout has data for .*not for flow/,
  );
});

it("reads objects within JSON, and tells the form of their boxes by the pictures", async () => {
  // Pictures of 6x4.
  const corners = {
    image: { width: 6, height: 4 },
    annotations: [{ bbox: [3, 2, 5, 3.5], category_id: 1, iscrowd: 0, area: 2 }],
  };
  const path = pack("objects/0000.tar", [
    { name: "a.png", bytes: picturePng(0) },
    { name: "a.json", bytes: text(JSON.stringify(corners)) },
    { name: "b.png", bytes: picturePng(1) },
    { name: "b.json", bytes: text(JSON.stringify([{ bbox: [1, 0, 6, 4], category: "dog", iscrowd: 1 }])) },
    { name: "c.png", bytes: picturePng(2) },
    { name: "c.json", bytes: text(JSON.stringify({ bbox: [[4, 1, 6, 4]], label: [0] })) },
  ]);
  const detected: OpenOptions = { task: "detection" };
  put("objects/classes.txt", "cat\ndog\n");
  const dataset = await openDataset(join(root, "objects"), detected);
  expect(dataset.classNames).toEqual(["cat", "dog"]);
  expect(dataset.describe()).toMatch(/labels from \.json, whose boxes are xyxy \(of the first ones no other form fits\)\.$/);
  const lists = await Promise.all([0, 1, 2].map(async (i) => (await dataset.sample(i)).target));
  expect(lists).toEqual([
    tensor("float32", [1, 7], [3, 2, 5, 3.5, 1, 1, 2]),
    tensor("float32", [1, 6], [1, 0, 6, 4, 1, 2]),
    tensor("float32", [1, 6], [4, 1, 6, 4, 0, 1]),
  ]);
  // By itself the file has no names beside it, and the number of "dog" is not known.
  rmSync(join(root, "objects/classes.txt"));
  await expect((await openDataset(path, detected)).sample(1)).rejects.toThrow(
    '0000/b: object 1 is "dog", and nothing says which number that class has.',
  );
  await expect(openDataset(path, { ...detected, variant: "json:annotations:xywh" })).rejects.toThrow(/the boxes are not xywh/);
});
