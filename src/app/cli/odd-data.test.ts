import { mkdirSync, readFileSync, rmSync } from "node:fs";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readImage } from "../../vision/data/node/image-file.js";
import { faultline, scratch, writeConvolution, writeScenes } from "./testing/scene.js";

// Data as people have them: other color spaces and depths, single pixels, strange names, labels and pictures that do not match.

const folder = scratch();
beforeAll(() => writeConvolution(folder.path("any.onnx"), 5));
afterAll(() => folder.remove());

const attack = (data: string, ...more: string[]) =>
  faultline(
    ...["attack", folder.path("any.onnx"), "--task", "segmentation", "--data", data, "--steps", "1"],
    ...["--out", `${data}.run`, ...more],
  );
const doctor = (data: string) => faultline("doctor", folder.path("any.onnx"), "--task", "segmentation", "--data", data);

describe("pictures", () => {
  const gray = Buffer.from(Uint8Array.from({ length: 12 * 14 }, (_, i) => i));
  const forms: Readonly<Record<string, () => Sharp>> = {
    "gray.png": () => sharp(gray, { raw: { width: 14, height: 12, channels: 1 } }).toColourspace("b-w"),
    "sixteen.png": () => sharp(gray, { raw: { width: 14, height: 12, channels: 1 } }).toColourspace("grey16"),
    "cmyk.jpg": () => sharp(gray, { raw: { width: 14, height: 12, channels: 1 } }).toColourspace("cmyk"),
    "clear.png": () => sharp({ create: { width: 14, height: 12, channels: 4, background: "#8040c080" } }),
    "one pixel ä.png": () => sharp({ create: { width: 1, height: 1, channels: 3, background: "#8040c0" } }),
  };

  it.each(Object.keys(forms))("%s is attacked as three channels in [0, 1], in folders of any name", async (name) => {
    const data = folder.path(`Bilder für ${name}`);
    mkdirSync(data);
    await forms[name]!().toFile(`${data}/${name}`);
    const picture = await readImage(`${data}/${name}`);
    expect(picture.shape[0]).toBe(3);
    expect(Math.min(...picture.data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...picture.data)).toBeLessThanOrEqual(1);
    const { code, err } = await attack(data, "--no-audit");
    expect([code, err]).toEqual([0, expect.stringContaining("1 sample for segmentation")]);
  });

  it("that are converted as they are read are said once: in the terminal, the summary, the report, by doctor and by spectrum", async () => {
    const data = folder.path("converted");
    mkdirSync(data);
    for (const name of ["sixteen.png", "cmyk.jpg", "clear.png"]) await forms[name]!().toFile(`${data}/${name}`);
    const text =
      "1 with transparency, laid over white; 1 in CMYK, turned into RGB without their color profile; 1 of 16 bits a channel, rounded to 8";
    const { out } = await attack(data, "--no-audit");
    expect(out).toContain(`pictures that were converted as they were read: ${text}\n`);
    const summary = JSON.parse(readFileSync(`${data}.run/summary.json`, "utf8"));
    expect(summary.converted).toEqual({ transparency: 1, cmyk: 1, "16-bit": 1 });
    expect(readFileSync(`${data}.run/report.html`, "utf8")).toContain(text);
    expect((await doctor(data)).out).toContain(`Of 3 pictures ${text}`);
    const { out: spectrum } = await faultline(
      ...[
        "spectrum",
        folder.path("any.onnx"),
        "--data",
        data,
        "--out",
        `${data}.spectrum`,
        "--shape",
        "image0=1x3x12x14",
        "--json",
      ],
    );
    expect(JSON.parse(spectrum).pictures.source).toBe(`3 pictures of ${data} of 14x12; converted as they were read: ${text}`);
    // Of pictures with nothing to say, nothing is said.
    expect((await attack(folder.path("Bilder für gray.png"), "--no-audit")).out).not.toContain("converted");
  });

  it("without color are named by the doctor, and what cannot be told is counted", async () => {
    const { code, out } = await doctor(folder.path("Bilder für gray.png"));
    expect(code).toBe(0);
    expect(out).toMatch(/\? +colors +All 1 pictures are gray, and the model takes rgb/);
    expect(out).toMatch(/Nothing looks wrong on 1 sample; \d things \(marked \?\) cannot be told/);
  });
});

describe("labels", () => {
  it("that are missing, or of no picture, are counted", async () => {
    await writeScenes(folder.path("odd"), 3);
    rmSync(folder.path("odd/labels/scene_2.png"));
    rmSync(folder.path("odd/images/scene_0.png"));
    const { code, err, out } = await attack(folder.path("odd"), "--no-audit");
    expect(code).toBe(3);
    expect(err).toContain("with labels (1 missing: scene_2.png; 1 of no picture: scene_0.png).");
    expect(out).toMatch(/1 sample failed:\n.*scene_2\.png cannot be read: there is no such file/);
  });

  it("of 0 and 255 are taken for binary masks, by the doctor and by the audit", async () => {
    const data = folder.path("binary");
    await writeScenes(data, 2, (i) => 255 * (i % 2));
    const sentence = "The labels are 0 and 255 alone, and 255 is ignored (50.0 % of them): binary masks? Write them as 0 and 1.";
    expect(await doctor(data)).toMatchObject({ code: 1, out: expect.stringContaining(sentence) });
    expect(await attack(data)).toMatchObject({ code: 1, out: expect.stringContaining(sentence) });
  });
});
