/**
 * Writes fixtures/data: one tiny dataset for each layout that src/vision/data/node reads. Pixel values are formulas, so the tests know
 * them exactly; JPEG pictures are one flat gray, which JPEG keeps exactly.
 *
 * Run: npx tsx tools/make-data-fixtures.ts
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { tensor } from "../src/engine/tensor/tensor.js";
import { writeFlo } from "../src/vision/data/formats/flo.js";
import { writeKittiDisparity, writeKittiFlow } from "../src/vision/data/formats/kitti.js";
import { writePfm } from "../src/vision/data/formats/pfm.js";
import { encodePng } from "../src/vision/data/formats/png.js";
import { writePpm } from "../src/vision/data/formats/ppm.js";
import { disparityAt, flowAt, height, isKnown, pictureValue, width } from "../src/vision/data/testing/fixture-values.js";

const root = "fixtures/data";
const pixels = Array.from({ length: width * height }, (_, i) => ({ x: i % width, y: Math.floor(i / width) }));

async function put(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

const rgb = (salt: number) => Uint8Array.from(pixels.flatMap(({ x, y }) => [0, 1, 2].map((c) => pictureValue(x, y, c, salt))));
const png = (salt: number) => encodePng({ width, height, color: "rgb", depth: 8, data: rgb(salt) });
const ppm = (salt: number) => writePpm({ width, height, channels: 3, data: rgb(salt) });
const jpeg = (level: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: level, g: level, b: level } } })
    .jpeg({ quality: 95 })
    .toBuffer();

/** A mask that runs through the given values, pixel by pixel. */
function mask(values: readonly number[], color: "gray" | "palette"): Uint8Array {
  const data = Uint8Array.from(pixels, (_, i) => values[i % values.length]!);
  // Colors unlike the indices, so that a reader that takes colors for indices fails.
  const palette = Uint8Array.from({ length: 768 }, (_, i) => (i * 89 + 13) % 256);
  return encodePng({ width, height, color, depth: 8, data, ...(color === "palette" && { palette }) });
}

const binary = (at: (x: number, y: number) => boolean) =>
  encodePng({ width, height, color: "gray", depth: 8, data: Uint8Array.from(pixels, ({ x, y }) => (at(x, y) ? 255 : 0)) });

const flow = tensor(
  "float32",
  [2, height, width],
  [0, 1].flatMap((c) => pixels.map(({ x, y }) => flowAt(x, y)[c]!)),
);
const disparity = tensor(
  "float32",
  [1, height, width],
  pixels.map(({ x, y }) => disparityAt(x, y)),
);
const known = tensor(
  "bool",
  [height, width],
  pixels.map(({ x, y }) => (isKnown(x, y) ? 1 : 0)),
);
const seen = tensor(
  "bool",
  [height, width],
  pixels.map(({ x, y }) => (isKnown(x, y) && x > 0 ? 1 : 0)),
);

await rm(root, { recursive: true, force: true });

for (const [i, name] of ["picture_2", "picture_10"].entries()) {
  await put(`flat/${name}.png`, png(i));
  await put(`folder-classification/images/${name}.png`, png(i));
  await put(`folder-segmentation/images/${name}.png`, png(i));
  await put(`folder-segmentation/labels/${name}.png`, mask([0, 1, 2, 255], "gray"));
  await put(`folder-restoration/input/${name}.png`, png(i));
  await put(`folder-restoration/target/${name}.png`, png(i + 10));
  await put(`folder-disparity/left/${name}.png`, png(i));
  await put(`folder-disparity/right/${name}.png`, png(i + 10));
  await put(`folder-disparity/labels/${name}.pfm`, writePfm(disparity));
  await put(`folder-flow/image1/${name}.png`, png(i));
  await put(`folder-flow/image2/${name}.png`, png(i + 10));
  await put(`folder-flow/labels/${name}.flo`, writeFlo(flow));
}
await put("folder-classification/labels.txt", "# name class\npicture_10.png 4\npicture_2.png 0\n");

// Code-unit order puts n10 before n9; natural order would not.
await put("imagenet/val/n10/b.JPEG", await jpeg(100));
await put("imagenet/val/n9/a_2.JPEG", await jpeg(20));
await put("imagenet/val/n9/a_10.JPEG", await jpeg(30));
await put("imagenet/LOC_synset_mapping.txt", "n10 tench, Tinca tinca\nn9 goldfish\n");
await put("imagenet-list/val/ILSVRC2012_val_00000001.JPEG", await jpeg(40));
await put("imagenet-list/val/ILSVRC2012_val_00000002.JPEG", await jpeg(50));
await put("imagenet-list/val.txt", "ILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 970\n");
for (const label of [0, 2, 10]) await put(`imagenet-numbered/${label}/x.png`, png(label));

await put("voc/JPEGImages/2007_000033.jpg", await jpeg(60));
await put("voc/SegmentationClass/2007_000033.png", mask([0, 1, 20, 255], "palette"));
await put("voc/ImageSets/Segmentation/val.txt", "2007_000033\n2007_000042\n");
await put("voc/JPEGImages/2007_000042.jpg", (await jpeg(60)).subarray(0, 200));

await put("cityscapes/leftImg8bit/val/frankfurt/frankfurt_000000_000294_leftImg8bit.png", png(3));
await put("cityscapes/gtFine/val/frankfurt/frankfurt_000000_000294_gtFine_labelIds.png", mask([7, 0, 33, 8, 26, 4], "gray"));

await put("ade20k/images/validation/ADE_val_00000001.jpg", await jpeg(70));
await put("ade20k/annotations/validation/ADE_val_00000001.png", mask([0, 1, 150], "gray"));

await put("kitti/training/image_2/000000_10.png", png(1));
await put("kitti/training/image_2/000000_11.png", png(2));
await put("kitti/training/image_3/000000_10.png", png(3));
await put("kitti/training/flow_occ/000000_10.png", writeKittiFlow({ target: flow, valid: known }));
await put("kitti/training/flow_noc/000000_10.png", writeKittiFlow({ target: flow, valid: seen }));
await put("kitti/training/disp_occ_0/000000_10.png", writeKittiDisparity({ target: disparity, valid: known }));
await put("kitti/training/disp_noc_0/000000_10.png", writeKittiDisparity({ target: disparity, valid: seen }));

for (const [i, frame] of ["frame_0001", "frame_0002", "frame_0003"].entries()) {
  await put(`sintel/training/clean/alley_1/${frame}.png`, png(i));
  await put(`sintel/training/final/alley_1/${frame}.png`, png(i + 10));
  await put(
    `sintel/training/invalid/alley_1/${frame}.png`,
    binary((x, y) => !isKnown(x, y)),
  );
  if (i === 2) continue;
  await put(`sintel/training/flow/alley_1/${frame}.flo`, writeFlo(flow));
  await put(
    `sintel/training/occlusions/alley_1/${frame}.png`,
    binary((x) => x === 0),
  );
}

const threeChannels = tensor("float32", [3, height, width], [...flow.data, ...new Float32Array(width * height)]);
const negative = tensor(
  "float32",
  disparity.shape,
  disparity.data.map((d) => -d),
);
for (const [i, frame] of ["0006", "0007"].entries()) {
  for (const pass of ["clean", "final"]) {
    await put(`flying-things/frames_${pass}pass/TEST/A/0000/left/${frame}.png`, png(i));
    await put(`flying-things/frames_${pass}pass/TEST/A/0000/right/${frame}.png`, png(i + 10));
  }
  await put(
    `flying-things/optical_flow/TEST/A/0000/into_future/left/OpticalFlowIntoFuture_${frame}_L.pfm`,
    writePfm(threeChannels),
  );
  await put(`flying-things/disparity/TEST/A/0000/left/${frame}.pfm`, writePfm(i === 0 ? disparity : negative));
}

for (const [i, key] of ["00001", "00002"].entries()) {
  await put(`flying-chairs/data/${key}_img1.ppm`, ppm(i));
  await put(`flying-chairs/data/${key}_img2.ppm`, ppm(i + 10));
  await put(`flying-chairs/data/${key}_flow.flo`, writeFlo(flow));
}
await put("flying-chairs/FlyingChairs_train_val.txt", "1\n2\n");

await put("gopro/test/GOPR0384_11_00/blur/000001.png", png(1));
await put("gopro/test/GOPR0384_11_00/blur_gamma/000001.png", png(2));
await put("gopro/test/GOPR0384_11_00/sharp/000001.png", png(3));
