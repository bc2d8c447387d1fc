import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { DataError } from "../error.js";
import { crc32 } from "./crc32.js";
import { parseFlo, writeFlo } from "./flo.js";
import { parseKittiDisparity, parseKittiFlow, writeKittiDisparity, writeKittiFlow } from "./kitti.js";
import { parseBinaryMask, parseLabelMap } from "./label-map.js";
import { parsePfm, parsePfmDisparity, parsePfmFlow, writePfm } from "./pfm.js";
import { decodePng, encodePng, type PngColor } from "./png.js";
import { parsePpm, writePpm } from "./ppm.js";

const text = (s: string) => new TextEncoder().encode(s);
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((p) => [...p]));
const floats = (values: number[], littleEndian: boolean) => {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((v, i) => {
    view.setFloat32(4 * i, v, littleEndian);
  });
  return new Uint8Array(view.buffer);
};

describe(".flo", () => {
  it("reads the layout of the format's description; unknown flow is invalid", () => {
    const bytes = join(text("PIEH"), Uint8Array.of(2, 0, 0, 0, 1, 0, 0, 0), floats([1.5, -2, 1e10, 3], true));
    const { target, valid } = parseFlo(bytes);
    expect(target).toEqual(tensor("float32", [2, 1, 2], [1.5, 0, -2, 0]));
    expect([...valid.data]).toEqual([1, 0]);
  });

  it("gives back what was written, also from an odd address", () => {
    const flow = tensor("float32", [2, 3, 2], [1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -0.125]);
    const odd = join(Uint8Array.of(0), writeFlo(flow)).subarray(1);
    expect(parseFlo(odd).target).toEqual(flow);
  });

  it("refuses other and truncated files", () => {
    expect(() => parseFlo(text("nothing at all"))).toThrow(/does not start with "PIEH"/);
    expect(() => parseFlo(writeFlo(tensor("float32", [2, 2, 2])).subarray(0, 40))).toThrow(
      /2x2 pixels has 44 bytes; this one has 40/,
    );
  });
});

describe("PFM", () => {
  it("reads rows from the bottom up, in either byte order", () => {
    for (const little of [true, false]) {
      const bytes = join(text(`Pf\n2 2\n${little ? "-1.0" : "1.0"}\n`), floats([3, 4, 1, 2], little));
      expect(parsePfm(bytes)).toEqual(tensor("float32", [1, 2, 2], [1, 2, 3, 4]));
    }
  });

  it("takes the first white space after the scale as the end, whatever byte follows", () => {
    // 0x0a0a0a0a as a float: its bytes look like white space.
    const bytes = join(text("Pf\n1 1\n-1\n"), Uint8Array.of(10, 10, 10, 10));
    expect(parsePfm(bytes).data[0]).toBe(new Float32Array(Uint8Array.of(10, 10, 10, 10).buffer)[0]);
  });

  it("gives disparity as positive numbers and infinity as unknown", () => {
    const { target, valid } = parsePfmDisparity(writePfm(tensor("float32", [1, 1, 3], [-5.5, 7, Number.POSITIVE_INFINITY])));
    expect(toNumbers(target)).toEqual([5.5, 7, 0]);
    expect([...valid.data]).toEqual([1, 1, 0]);
  });

  it("takes flow from the first two of three channels", () => {
    const { target, valid } = parsePfmFlow(writePfm(tensor("float32", [3, 2, 1], [1, 2, 3, Number.NaN, 9, 9])));
    expect(toNumbers(target)).toEqual([1, 0, 3, 0]);
    expect([...valid.data]).toEqual([1, 0]);
  });

  it.each([
    ["cut short", writePfm(tensor("float32", [1, 2, 2])).subarray(0, 20), /has 16 bytes of values/],
    ["no PFM", text("P6\n1 1\n255\n..."), /does not start with Pf or PF/],
    ["negative size", text("Pf\n-1 1\n-1.0\n"), /width -1/],
  ])("refuses a file that is %s", (_, bytes, message) => {
    expect(() => parsePfm(bytes)).toThrow(DataError);
    expect(() => parsePfm(bytes)).toThrow(message);
  });
});

describe("PPM", () => {
  it("reads comments in the header and gives back what was written", () => {
    const image = { width: 2, height: 1, channels: 3, data: Uint8Array.of(10, 32, 35, 255, 0, 9) } as const;
    expect(parsePpm(writePpm(image))).toEqual(image);
    expect(parsePpm(join(text("P5 # gray\n# two\n2 1\n255\n"), Uint8Array.of(7, 35)))).toMatchObject({
      channels: 1,
      data: Uint8Array.of(7, 35),
    });
    expect(() => parsePpm(text("P6\n2 2\n255\nabc"))).toThrow(/has 12 samples, not 3/);
  });
});

describe("PNG", () => {
  const kinds = fc.constantFrom<[PngColor, number, number]>(
    ...([1, 2, 4, 8, 16] as const).map((depth): [PngColor, number, number] => ["gray", depth, 1]),
    ...([1, 2, 4, 8] as const).map((depth): [PngColor, number, number] => ["palette", depth, 1]),
    ["rgb", 8, 3],
    ["rgb", 16, 3],
    ["gray-alpha", 8, 2],
    ["gray-alpha", 16, 2],
    ["rgb-alpha", 8, 4],
    ["rgb-alpha", 16, 4],
  );
  const anyPng = fc
    .tuple(kinds, fc.integer({ min: 1, max: 19 }), fc.integer({ min: 1, max: 9 }))
    .chain(([kind, width, height]) => {
      const [color, depth, channels] = kind;
      const size = width * height * channels;
      return fc.array(fc.nat(2 ** depth - 1), { minLength: size, maxLength: size }).map((values) => ({
        ...{ width, height, color, depth, channels: channels as 1 | 2 | 3 | 4 },
        data: depth === 16 ? Uint16Array.from(values) : Uint8Array.from(values),
        ...(color === "palette" && { palette: new Uint8Array(3 * 2 ** depth).fill(9) }),
      }));
    });

  it("gives back every color type and depth", () => {
    fc.assert(
      fc.property(anyPng, (png) => {
        expect(decodePng(encodePng(png))).toEqual(png);
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  const noise = Buffer.from(Uint8Array.from({ length: 37 * 29 * 3 }, (_, i) => (i * i * 31 + i * 7 + (i >> 5)) % 256));
  it.each([
    ["adaptive filters", { adaptiveFiltering: true }],
    ["Adam7", { progressive: true }],
    ["Adam7 and adaptive filters", { progressive: true, adaptiveFiltering: true }],
  ])("reads libpng's files: %s", async (_, options) => {
    const bytes = await sharp(noise, { raw: { width: 37, height: 29, channels: 3 } })
      .png(options)
      .toBuffer();
    expect(Buffer.compare(Buffer.from(decodePng(bytes).data), noise)).toBe(0);
  });

  it.each([1, 2, 3, 4, 5, 8])(
    "reads Adam7 pictures that are only %i pixels wide, whose passes are partly empty",
    async (width) => {
      const gray = noise.subarray(0, width * 3);
      const bytes = await sharp(gray, { raw: { width, height: 3, channels: 1 } })
        .toColourspace("b-w")
        .png({ progressive: true })
        .toBuffer();
      expect([...decodePng(bytes).data]).toEqual([...gray]);
    },
  );

  it("reads libpng's palettes as indices whose colors are the picture, interlaced or not", async () => {
    const few = Buffer.from(noise.map((v) => (v > 127 ? 255 : 0)));
    for (const progressive of [false, true]) {
      const bytes = await sharp(few, { raw: { width: 37, height: 29, channels: 3 } })
        .png({ palette: true, colors: 8, dither: 0, progressive })
        .toBuffer();
      const { color, depth, data, palette } = decodePng(bytes);
      expect([color, depth < 8]).toEqual(["palette", true]);
      const rgb = [...data].flatMap((index) => [...palette!.subarray(3 * index, 3 * index + 3)]);
      expect(Buffer.compare(Buffer.from(rgb), few)).toBe(0);
    }
  });

  it("writes files that libpng reads", async () => {
    const png = { width: 37, height: 29, color: "rgb", depth: 8, data: new Uint8Array(noise) } as const;
    expect(Buffer.compare(await sharp(encodePng(png)).raw().toBuffer(), noise)).toBe(0);
  });

  it("knows CRC-32's check value", () => {
    expect(crc32(text("123456789"))).toBe(0xcbf43926);
  });

  it("meets every damaged file with its own error", () => {
    const good = encodePng({
      width: 5,
      height: 4,
      color: "rgb",
      depth: 8,
      data: Uint8Array.from({ length: 60 }, (_, i) => i * 3),
    });
    for (let at = 0; at < good.length; at++) {
      const bad = good.slice();
      bad[at]! ^= 0x21;
      expect(() => decodePng(bad), `byte ${at}`).toThrow(DataError);
      expect(() => decodePng(good.subarray(0, at)), `cut at ${at}`).toThrow(DataError);
    }
  });
});

describe("KITTI", () => {
  it("reads a file that libpng wrote", async () => {
    // u = (R - 2^15) / 64, v = (G - 2^15) / 64, B = valid.
    const rgb = Uint16Array.of(32768 + 64, 32768 - 32, 1, 32769, 65535, 1, 5, 6, 0);
    const bytes = await sharp(rgb, { raw: { width: 3, height: 1, channels: 3 } })
      .toColourspace("rgb16")
      .png()
      .toBuffer();
    const { target, valid } = parseKittiFlow(bytes);
    expect(toNumbers(target)).toEqual([1, 1 / 64, 0, -0.5, 511.984375, 0]);
    expect([...valid.data]).toEqual([1, 1, 0]);
    expect(decodePng(writeKittiFlow({ target, valid })).data).toEqual(Uint16Array.of(...rgb.subarray(0, 6), 0, 0, 0));
  });

  it("reads disparity / 256 with 0 as unknown", () => {
    const png = { width: 3, height: 1, color: "gray", depth: 16, data: Uint16Array.of(0, 256, 65535) } as const;
    const { target, valid } = parseKittiDisparity(encodePng(png));
    expect(toNumbers(target)).toEqual([0, 1, 65535 / 256]);
    expect([...valid.data]).toEqual([0, 1, 1]);
    expect(decodePng(writeKittiDisparity({ target, valid })).data).toEqual(png.data);
  });

  it("refuses 8-bit files", () => {
    const eight = encodePng({ width: 1, height: 1, color: "rgb", depth: 8, data: Uint8Array.of(1, 2, 3) });
    expect(() => parseKittiFlow(eight)).toThrow(/16-bit rgb PNG; this one is rgb at 8 bits/);
  });
});

describe("masks", () => {
  const palette = new Uint8Array(768).fill(77);
  const mask = encodePng({ width: 3, height: 1, color: "palette", depth: 8, data: Uint8Array.of(0, 3, 255), palette });

  it("are indices, not colors", () => {
    expect(parseLabelMap(mask)).toEqual(tensor("int32", [1, 3], [0, 3, 255]));
    expect([...parseBinaryMask(mask).data]).toEqual([0, 1, 1]);
  });

  it("refuse values that the dataset does not have, and colors", () => {
    expect(() => parseLabelMap(mask, (v) => (v < 4 ? v : undefined))).toThrow(/holds the value 255/);
    const rgb = encodePng({ width: 1, height: 1, color: "rgb", depth: 8, data: Uint8Array.of(1, 2, 3) });
    expect(() => parseLabelMap(rgb)).toThrow(/this one is rgb/);
  });
});
