import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tensor } from "../../../engine/tensor/tensor.js";
import { conversionsOf } from "../conversions.js";
import { DataError } from "../error.js";
import { encodePng, type PngColor } from "../formats/png.js";
import { readImage, writeImage } from "./image-file.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-image-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(bytes: Uint8Array, name = "picture.png") {
  await writeFile(join(folder, name), bytes);
  return readImage(join(folder, name));
}

const ramp = Uint8Array.from({ length: 256 * 3 }, (_, i) => (i * 7) % 256);
const png = (color: PngColor, depth: number, width: number, values: number[]) =>
  encodePng({ width, height: 1, color, depth, data: depth === 16 ? Uint16Array.from(values) : Uint8Array.from(values) });

describe("what is converted", () => {
  it("is known of a picture: transparency that shows, CMYK, 16 bits, further frames", async () => {
    const of = async (bytes: Uint8Array, name?: string) => conversionsOf(await read(bytes, name));
    expect(await of(png("rgb-alpha", 8, 1, [10, 20, 30, 254]))).toEqual(["transparency"]);
    expect(await of(png("rgb-alpha", 8, 1, [10, 20, 30, 255]))).toEqual([]);
    expect(await of(png("rgb-alpha", 16, 1, [10, 20, 30, 254]))).toEqual(["transparency", "16-bit"]);
    expect(await of(png("gray", 16, 1, [10]))).toEqual(["16-bit"]);
    expect(await of(png("gray", 8, 1, [10]))).toEqual([]);
    const plain = sharp({ create: { width: 8, height: 8, channels: 3, background: "#8040c0" } });
    expect(await of(await plain.clone().toColourspace("cmyk").jpeg().toBuffer(), "picture.jpg")).toEqual(["cmyk"]);
    expect(await of(await plain.clone().jpeg().toBuffer(), "picture.jpg")).toEqual([]);
    const frames = Uint8Array.from({ length: 2 * 8 * 8 * 3 }, (_, i) => (i * 7) % 256);
    const moving = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
      .gif()
      .toBuffer();
    expect(await of(moving, "picture.gif")).toEqual(["frames"]);
  });
});

describe("readImage", () => {
  it("is exactly v / 255 for every level, channel by channel", async () => {
    const { data, shape } = await read(encodePng({ width: 256, height: 1, color: "rgb", depth: 8, data: ramp }));
    expect(shape).toEqual([3, 1, 256]);
    for (let i = 0; i < 768; i++) expect(data[(i % 3) * 256 + Math.floor(i / 3)]).toBe(Math.fround(ramp[i]! / 255));
  });

  it("keeps all 16 bits", async () => {
    const { data } = await read(png("rgb", 16, 1, [1, 256, 65534]));
    expect([...data]).toEqual([1, 256, 65534].map((v) => Math.fround(v / 65535)));
  });

  it("repeats gray of 1, 8 and 16 bits on three channels", async () => {
    for (const [depth, largest] of [
      [1, 1],
      [8, 255],
      [16, 65535],
    ] as const) {
      const { data } = await read(png("gray", depth, 2, [0, largest]));
      expect([...data]).toEqual([0, 1, 0, 1, 0, 1]);
    }
  });

  it("lays transparency over white and keeps opaque colors exactly", async () => {
    const { data } = await read(png("rgb-alpha", 8, 3, [10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 51]));
    expect([...data]).toEqual([10 / 255, 1, 0.8, 20 / 255, 1, 0.8, 30 / 255, 1, 0.8].map(Math.fround));
  });

  it("looks palette colors up", async () => {
    const palette = Uint8Array.of(1, 2, 3, 40, 50, 60);
    const { data } = await read(
      encodePng({ width: 2, height: 1, color: "palette", depth: 1, data: Uint8Array.of(1, 0), palette }),
    );
    expect([...data]).toEqual([40, 1, 50, 2, 60, 3].map((v) => Math.fround(v / 255)));
  });

  it("applies the EXIF orientation", async () => {
    const upright = sharp(Uint8Array.of(255, 0), { raw: { width: 2, height: 1, channels: 1 } });
    const turned = await upright.withMetadata({ orientation: 6 }).png().toBuffer();
    // Orientation 6: shown after a quarter turn clockwise, so the left pixel comes on top.
    const { shape, data } = await read(turned);
    expect(shape).toEqual([3, 2, 1]);
    expect([...data.subarray(0, 2)]).toEqual([1, 0]);
  });

  it("does not apply an embedded color profile", async () => {
    const pixel = sharp(Uint8Array.of(200, 100, 50), { raw: { width: 1, height: 1, channels: 3 } });
    const tagged = await pixel.withIccProfile("p3").png().toBuffer();
    const stored = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer();
    expect([...stored]).not.toEqual([200, 100, 50]);
    expect([...(await read(tagged)).data]).toEqual([...stored].map((v) => Math.fround(v / 255)));
  });

  it("turns what it cannot read into one sentence", async () => {
    const whole = await sharp(ramp, { raw: { width: 16, height: 16, channels: 3 } })
      .jpeg()
      .toBuffer();
    await expect(read(whole.subarray(0, whole.length - 60), "cut.jpg")).rejects.toThrow(DataError);
    await expect(read(new TextEncoder().encode("hello"), "text.jpg")).rejects.toThrow(/text\.jpg: this is not a picture/);
    await expect(readImage(join(folder, "absent.png"))).rejects.toThrow(/absent\.png cannot be read: there is no such file/);
  });
});

describe("writeImage", () => {
  it("rounds to the nearest level and clips", async () => {
    const path = join(folder, "written.png");
    const values = [0.4999 / 255, 0.5001 / 255, 254.6 / 255, 1.2, -0.3, 100 / 255];
    await writeImage(path, tensor("float32", [3, 1, 2], values));
    expect([...(await readImage(path)).data]).toEqual([0, 1, 255, 255, 0, 100].map((v) => Math.fround(v / 255)));
  });

  it("gives back every 8-bit level", async () => {
    const image = await read(encodePng({ width: 256, height: 1, color: "rgb", depth: 8, data: ramp }));
    await writeImage(join(folder, "again.png"), image);
    expect(await readImage(join(folder, "again.png"))).toEqual(image);
  });

  it("refuses other shapes", async () => {
    await expect(writeImage(join(folder, "no.png"), tensor("float32", [1, 2, 2]))).rejects.toThrow(/float32\[1, 2, 2\]/);
  });
});
