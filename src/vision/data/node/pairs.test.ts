import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { tensor } from "../../../engine/tensor/tensor.js";
import { writeKittiDisparity, writeKittiFlow } from "../formats/kitti.js";
import { height, width } from "../testing/fixture-values.js";
import { picture, picturePng } from "../testing/pictures.js";
import { openDataset } from "./open.js";

const root = mkdtempSync(join(tmpdir(), "faultline-pairs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
function put(path: string, content: Uint8Array | string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

const area = width * height;
/** Every second pixel is known; of these, every second one is seen by the other view. */
const known = (step: number) =>
  tensor(
    "bool",
    [height, width],
    Uint8Array.from({ length: area }, (_, i) => (i % step === 0 ? 1 : 0)),
  );
const held = (channels: number) =>
  tensor(
    "float32",
    [channels, height, width],
    Float32Array.from({ length: channels * area }, (_, i) => ((i % area) % 2 === 0 ? 1 + (i % 7) / 64 : 0)),
  );

it("KITTI 2012: color where it is there, gray by name, half of the pixels known", async () => {
  const base = "kitti/training";
  for (const [i, folder] of ["colored_0", "colored_1", "image_0", "image_1"].entries())
    for (const [k, moment] of ["10", "11"].entries()) put(`${base}/${folder}/000007_${moment}.png`, picturePng(10 * i + k));
  put(`${base}/flow_occ/000007_10.png`, writeKittiFlow({ target: held(2), valid: known(2) }));
  put(`${base}/flow_noc/000007_10.png`, writeKittiFlow({ target: held(2), valid: known(4) }));
  put(`${base}/disp_occ/000007_10.png`, writeKittiDisparity({ target: held(1), valid: known(2) }));
  const occluded = tensor(
    "bool",
    [height, width],
    Uint8Array.from({ length: area }, (_, i) => (i % 4 === 2 ? 1 : 0)),
  );
  const flow = await openDataset(join(root, "kitti"), { task: "flow" });
  expect(flow.describe()).toBe(
    `1 pairs of KITTI 2012's split training for flow from ${join(root, "kitti")} (color), with truth.`,
  );
  expect(await flow.sample(0)).toEqual({
    ...{ id: "000007_10", inputs: { image1: picture(0), image2: picture(1) } },
    ...{ target: held(2), valid: known(2), occluded },
  });
  const stereo = await openDataset(join(root, "kitti"), { task: "disparity", variant: "gray" });
  expect(await stereo.sample(0)).toEqual({
    ...{ id: "000007_10", inputs: { left: picture(20), right: picture(30) } },
    ...{ target: held(1), valid: known(2) },
  });
  await expect(openDataset(join(root, "kitti"), { task: "flow", variant: "blue" })).rejects.toThrow(
    'KITTI 2012\'s variants are color and gray, not "blue".',
  );
  rmSync(join(root, base, "colored_0"), { recursive: true });
  expect((await (await openDataset(join(root, "kitti"), { task: "flow" })).sample(0)).inputs.image1).toEqual(picture(20));
  await expect(openDataset(join(root, "kitti"), { task: "flow", variant: "color" })).rejects.toThrow(
    /training has no colored_0\//,
  );
});

it("SIDD: pairs by NOISY and GT in their names", async () => {
  const scene = "sidd/Data/0001_001_S6_00100_00060_3200_L";
  put(`${scene}/0001_NOISY_SRGB_010.PNG`, picturePng(1));
  put(`${scene}/0001_GT_SRGB_010.PNG`, picturePng(2));
  put(`${scene}/0001_NOISY_SRGB_011.PNG`, picturePng(3));
  put(`${scene}/0001_GT_SRGB_011.PNG`, picturePng(4));
  const dataset = await openDataset(join(root, "sidd"), { task: "restoration" });
  expect(dataset).toMatchObject({ name: "sidd", length: 2 });
  expect(await dataset.sample(1)).toEqual({
    id: "0001_001_S6_00100_00060_3200_L/0001_NOISY_SRGB_011",
    inputs: { image: picture(3) },
    target: picture(4),
  });
  put("sidd/Data/0002/0002_NOISY_SRGB_010.PNG", picturePng(1));
  await expect(openDataset(join(root, "sidd"), { task: "restoration" })).rejects.toThrow(
    /has a noisy picture without the clean one \(\*_GT_\* beside \*_NOISY_\*\): 0002\/0002_NOISY_SRGB_010\.PNG\./,
  );
});
