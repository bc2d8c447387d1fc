import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readModel } from "../../engine/onnx/read-file.js";
import { Random } from "../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { readImage } from "../../vision/data/node/image-file.js";
import type { Check } from "../attack/audit.js";
import type { AttackRecord } from "../attack/run-attack.js";
import type { AttackSummary } from "../attack/summary.js";
import { faultline, network, scratch, writeConvolution, writeScenes } from "./testing/scene.js";

const folder = scratch();
const data = folder.path("data");
const [height, width, count] = [20, 31, 5];
/** Takes images of 12x14 in batches of two. */
const model = network("segmentation");
const command = (out: string, ...more: string[]) => [
  ...["attack", model, "--task", "segmentation", "--data", data, "--out", folder.path(out), "--steps", "4"],
  ...["--mismatch", "tile", "--overlap", "4", "--threads", "1", ...more],
];
const read = (...path: string[]) => readFileSync(folder.path(...path), "utf8");
const records = (out: string): AttackRecord[] =>
  read(out, "records.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as AttackRecord);
const summary = (out: string) => JSON.parse(read(out, "summary.json")) as AttackSummary;
const verdict = (out: string, name: string) =>
  (JSON.parse(read(out, "audit.json")) as Check[]).find((c) => c.name === name)?.verdict;
/** Everything that a run computes; the report names the run's own folder. */
const bytes = (out: string): Record<string, string> =>
  Object.fromEntries(
    ["run.json", "records.jsonl", "summary.json", ...readdirSync(folder.path(out, "images")).map((f) => `images/${f}`)].map(
      (f) => [f, readFileSync(folder.path(out, f)).toString("latin1")],
    ),
  );

beforeAll(async () => {
  await writeScenes(data, count, (i) => (i % 7 === 0 ? 255 : i % 5), { height, width });
});
afterAll(() => folder.remove());

/** Predicted classes of a 20x31 image by 12x14 tiles that share 4 pixels, worked out by hand: rows start at 0 and 8, columns at 0, 10 and 17. */
async function predictByHand(image: Tensor<"float32">): Promise<Int32Array> {
  const whole = new Int32Array(height * width).fill(-1);
  const network = await readModel(model);
  for (const [top, fromRow, toRow] of [
    [0, 0, 10],
    [8, 10, 20],
  ] as const) {
    for (const [left, fromColumn, toColumn] of [
      [0, 0, 12],
      [10, 12, 20],
      [17, 20, 31],
    ] as const) {
      const input = tensor("float32", [2, 3, 12, 14]);
      for (let i = 0; i < input.data.length; i++) {
        const [c, y, x] = [Math.floor(i / 168) % 3, Math.floor(i / 14) % 12, i % 14];
        input.data[i] = image.data[(c * height + top + y) * width + left + x]!;
      }
      const logits = Object.values(await runModel(network, { input }))[0]!.data as Float32Array;
      for (let y = fromRow; y < toRow; y++) {
        for (let x = fromColumn; x < toColumn; x++) {
          const at = (k: number) => logits[(k * 12 + y - top) * 14 + x - left]!;
          whole[y * width + x] = [0, 1, 2, 3, 4].reduce((best, k) => (at(k) > at(best) ? k : best), 0);
        }
      }
    }
  }
  return whole;
}

describe("an attack by tiles", () => {
  it("saves whole images inside the ball, and says how they were cut", async () => {
    const { code, out } = await faultline(...command("whole", "--attack", "pgd"));
    expect(code).toBe(0);
    expect(out).toMatch(/tiles of 12x14 \(height x width\), neighbors share at least 4 pixels; 6 for each image, 30 in all/);
    expect(JSON.parse(read("whole", "run.json")).fit).toEqual({ mismatch: "tile", tiles: { height: 12, width: 14, overlap: 4 } });
    expect(summary("whole").tiles).toEqual({ least: 6, most: 6, all: 30 });
    expect(read("whole", "report.html")).toMatch(/6 for each image, 30 in all.*predicted in tiles anew/);
    expect(verdict("whole", "Saved images lie in the ball")).toBe("passed");
    expect(records("whole")).toHaveLength(count);
    for (const { index, size, files, loss, perturbation } of records("whole")) {
      expect(size).toEqual([height, width]);
      expect(loss!.saved).toBeGreaterThan(loss!.clean);
      const [clean, saved] = [
        await readImage(join(data, "images", `scene_${index}.png`)),
        await readImage(folder.path("whole", files!.image!)),
      ];
      const moved = saved.data.map((v, i) => Math.abs(Math.round((v - clean.data[i]!) * 255)));
      expect(Math.max(...moved)).toBe(8);
      expect(perturbation!.image!.l_inf).toBeCloseTo(8 / 255, 6);
      // Every tile was attacked: most values moved, everywhere.
      for (let column = 0; column < width; column++)
        expect(moved.filter((v, i) => i % width === column && v > 0).length).toBeGreaterThan(45);
    }
  });

  it("reports what is predicted of the saved image, cut and put together anew", async () => {
    for (const { index, files, scores } of records("whole").slice(0, 2)) {
      const classes = await predictByHand(await readImage(folder.path("whole", files!.image!)));
      const confusion = new Map<string, number>();
      for (let i = 0; i < classes.length; i++)
        if (i % 7 !== 0) confusion.set(`${i % 5} ${classes[i]}`, (confusion.get(`${i % 5} ${classes[i]}`) ?? 0) + 1);
      const { detail } = scores!.saved.truth!;
      const reported = (detail as { confusion: [number, number, number][] }).confusion;
      expect(new Map(reported.map(([is, said, n]) => [`${is} ${said}`, n])), `sample ${index}`).toEqual(confusion);
    }
  });

  it("resumes and shards to the same bytes, also in batches that do not come out even", async () => {
    const batch = ["--batch", "2"];
    expect((await faultline(...command("batches", ...batch))).code).toBe(0);
    mkdirSync(folder.path("cut"), { recursive: true });
    writeFileSync(folder.path("cut", "run.json"), read("batches", "run.json"));
    writeFileSync(folder.path("cut", "records.jsonl"), read("batches", "records.jsonl").slice(0, -1500));
    mkdirSync(folder.path("cut", "images"));
    for (const { files } of records("batches")) {
      const [file] = Object.values(files!);
      writeFileSync(folder.path("cut", file!), readFileSync(folder.path("batches", file!)));
    }
    expect((await faultline(...command("cut", ...batch))).err).toMatch(/resuming/);
    expect(bytes("cut")).toEqual(bytes("batches"));
    for (const i of [1, 2]) expect((await faultline(...command(`shard${i}`, ...batch, "--shard", `${i}/2`))).code).toBe(0);
    expect((await faultline("merge", folder.path("shard1"), folder.path("shard2"), "--out", folder.path("merged"))).code).toBe(0);
    expect(bytes("merged")).toEqual(bytes("batches"));
    expect((await faultline("audit", folder.path("merged"))).out).toMatch(/All 5 saved images were read again/);
  });

  it("is made again by the report's command", async () => {
    expect((await faultline(...command("again", "--limit", "1", "--tile", "12x14"))).code).toBe(0);
    const script = read("again", "again.sh");
    expect(script).toMatch(/--mismatch tile \\\n {2}--tile 12x14 \\\n {2}--overlap 4 /);
    const words = script
      .trim()
      .split("\n")
      .slice(2)
      .join("\n")
      .replaceAll(/"\$here([^"]*)"/g, (_, rest: string) => `${folder.path("again")}${rest}`)
      .replace(/ \\\n */g, " ")
      .split(" ");
    expect((await faultline(...words.slice(1))).code).toBe(0);
    expect(bytes("again-again")).toEqual(bytes("again"));
  });

  it.each(["l_2", "l_1"])("keeps the whole image in the ball of %s", async (norm) => {
    expect((await faultline(...command(norm, "--norm", norm, "--epsilon", "3", "--limit", "2", "--attack", "apgd"))).code).toBe(
      0,
    );
    expect(verdict(norm, "Saved images lie in the ball")).toBe("passed");
    for (const { perturbation } of records(norm)) expect(perturbation!.image![norm as "l_2"]).toBeLessThanOrEqual(3.0001);
  });

  it("changes the region alone, across tiles", async () => {
    const mask = Uint8Array.from({ length: height * width }, (_, i) => (i % width > 8 && i % width < 20 ? 255 : 0));
    await sharp(mask, { raw: { width, height, channels: 1 } })
      .png()
      .toFile(folder.path("mask.png"));
    const { code } = await faultline(...command("region", "--region", folder.path("mask.png"), "--limit", "1"));
    expect(code).toBe(0);
    expect(verdict("region", "Saved images lie in the ball")).toBe("passed");
    const { sample, files } = records("region")[0]!;
    const [clean, saved] = [
      await readImage(join(data, "images", `${sample}.png`)),
      await readImage(folder.path("region", files!.image!)),
    ];
    const changed = [...saved.data].flatMap((v, i) => (v === clean.data[i] ? [] : [i % width]));
    expect([Math.min(...changed), Math.max(...changed)]).toEqual([9, 19]);
  });

  it.each([
    ["random transforms", ["--eot", "gaussian-noise", "--eot-samples", "2"]],
    ["the 8-bit grid", ["--grid", "8-bit"]],
    ["an ensemble, towards a target", ["--attack", "ensemble", "--target", "2"]],
  ] as const)("goes with %s", async (what, flags) => {
    const out = what.replaceAll(/\W/g, "-");
    expect((await faultline(...command(out, ...flags, "--limit", "1", "--epsilon", "16/255"))).code).toBe(0);
    expect(verdict(out, "Saved images lie in the ball")).toBe("passed");
    const [record] = records(out);
    const gain = record!.loss!.saved - record!.loss!.clean;
    expect(flags.includes("--target" as never) ? -gain : gain).toBeGreaterThan(0);
    if (what.includes("grid")) expect(record!.loss!.saved).toBeCloseTo(record!.loss!.adversarial, 5);
  });

  it("mirrors what is smaller than a tile, and refuses what is too small for that", async () => {
    await writeScenes(folder.path("low"), 1, undefined, { height: 7, width: 30 });
    await writeScenes(folder.path("tiny"), 1, undefined, { height: 6, width: 30 });
    const on = (name: string) => faultline(...command(`on-${name}`, "--data", folder.path(name)));
    expect((await on("low")).code).toBe(0);
    expect(records("on-low")[0]!.size).toEqual([7, 30]);
    expect((await readImage(folder.path("on-low/images/scene_0.png"))).shape).toEqual([3, 7, 30]);
    const { code, err } = await on("tiny");
    expect([code, err]).toEqual([1, expect.stringMatching(/scene_0.* is 30x6, too small to be mirrored to a tile of 14x12/)]);
  });
});

describe("other tasks by tiles", () => {
  const pictures = async (task: string, parts: readonly string[]) => {
    for (const part of parts) {
      mkdirSync(folder.path(task, part), { recursive: true });
      const random = new Random(4, part);
      const pixels = Uint8Array.from({ length: 3 * height * width }, () => random.integer(256));
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(folder.path(task, part, "one.png"));
    }
  };
  const attack = (task: string) =>
    faultline(
      ...[
        "attack",
        folder.path(`${task}.onnx`),
        "--task",
        task,
        "--data",
        folder.path(task),
        "--out",
        folder.path(`run-${task}`),
      ],
      ...["--steps", "3", "--mismatch", "tile", "--tile", "10x12", "--threads", "1"],
      // Random weights: what is "restored" lies in -1..1, which the audit takes for a model that is fed wrongly.
      "--allow-audit",
    );

  it.each([
    ["flow", 2, ["image1", "image2"]],
    ["disparity", 1, ["left", "right"]],
    ["restoration", 3, ["input", "target"]],
  ] as const)("%s", async (task, channels, parts) => {
    await pictures(task, parts);
    await writeConvolution(folder.path(`${task}.onnx`), channels, { images: task === "restoration" ? 1 : 2 });
    expect((await attack(task)).code).toBe(0);
    expect(existsSync(folder.path(`run-${task}`, "report.html"))).toBe(true);
    expect(summary(`run-${task}`).tiles).toEqual({ least: 12, most: 12, all: 12 });
    expect(verdict(`run-${task}`, "Saved images lie in the ball")).toBe("passed");
    const [record] = records(`run-${task}`);
    expect(record!.loss!.saved).toBeGreaterThan(record!.loss!.clean);
    expect(Object.keys(record!.files!)).toHaveLength(task === "restoration" ? 1 : 2);
  });

  it("refuses a model that enlarges its image", async () => {
    await pictures("restoration", ["input", "target"]);
    await writeConvolution(folder.path("enlarging.onnx"), 3, { enlarge: 2 });
    const { code, err } = await faultline(
      ...["attack", folder.path("enlarging.onnx"), "--task", "restoration", "--data", folder.path("restoration")],
      ...["--out", folder.path("run-enlarging"), "--mismatch", "tile", "--tile", "10x12"],
    );
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/restored image is 24x20 for an input of 12x10; restoration keeps the size/),
    ]);
  });
});
