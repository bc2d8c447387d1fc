import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GoldenCase } from "../../src/engine/testing/golden-case.js";
import { openGoldenFolder } from "../../src/engine/testing/golden-folder.js";
import type { ResamplingCase } from "../../src/vision/nn/resampling/testing/golden.js";
import { launch } from "./chromium.js";
import type { WebProvider } from "./page.js";
import { type SiteServer, serve } from "./server.js";

const root = new URL("../../", import.meta.url);
const folder = openGoldenFolder(new URL("../shared/golden/gradients/", root), new URL("fixtures/golden/gradients/", root))!;
const operatorCases = folder.cases.filter((c) => c.kind === "op").map((c) => [c.name, c] as const);

const resampling = new URL("fixtures/golden/resampling/", root);
const resamplingCases = (
  JSON.parse(readFileSync(new URL("manifest.json", resampling), "utf8")) as { files: ResamplingCase[] }
).files
  .filter(({ file }) => file !== "freq_avg_up/constant.safetensors")
  .map((entry) => [entry.file, entry] as const);

/** What ONNX Runtime 1.30 cannot do on WebGPU; a case that begins to work fails here, and then leaves this list. */
const gpuFailures: Readonly<Record<string, string>> = {
  maxpool_k3s2p1: "MaxPool has no output Indices",
  maxpool_dil2: "MaxPool has no output Indices",
  maxpool_ceil: "MaxPool has no output Indices",
  maxpool_ties_first: "MaxPool has no output Indices",
  slice_negative_step: "Slice with a negative step yields wrong values",
  cast_double_chain: "no float64",
};

/** WGSL promises sin and cos to an absolute error of 2^-11 only, and the tests' adapter is as far off as 1e-4. DFT's factors are made of them. */
const trigonometric = new Set(["Sin", "Cos", "Tan", "DFT"]);

const browser = await launch();
if (typeof browser === "string") console.warn(`Browser tests are skipped. ${browser}`);

describe.skipIf(typeof browser === "string")("the library in Chromium", () => {
  let attacked: SiteServer;
  let page: Page;
  const built = mkdtempSync(join(tmpdir(), "faultline-browser-"));

  beforeAll(async () => {
    await build({
      entryPoints: {
        page: fileURLToPath(new URL("page.ts", import.meta.url)),
        "web-worker": fileURLToPath(new URL("src/engine/runtime/web-worker.ts", root)),
      },
      outdir: built,
      bundle: true,
      splitting: true,
      format: "esm",
      target: "es2022",
      conditions: ["onnxruntime-web-use-extern-wasm"],
    });
    writeFileSync(join(built, "index.html"), '<!doctype html><title>Tests</title><script type="module" src="page.js"></script>');
    attacked = await serve({
      "/built/": pathToFileURL(`${built}/`),
      "/golden/": folder.path,
      "/resampling/": resampling,
      "/onnxruntime/": new URL("node_modules/onnxruntime-web/dist/", root),
    });
    page = await (browser as Browser).newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(`${attacked.address}built/index.html`);
    await page.waitForFunction(() => "golden" in globalThis);
  });

  afterAll(async () => {
    await (browser as Browser).close();
    attacked?.close();
    rmSync(built, { recursive: true });
  });

  const agree = async (provider: WebProvider, golden: GoldenCase, leastTolerance = 0) => {
    const deviations = await page.evaluate(([p, g]) => globalThis.golden(p, g), [provider, golden] as const);
    expect(deviations.length).toBeGreaterThan(1);
    for (const { tensor, error, tolerance } of deviations)
      expect.soft(error, tensor).toBeLessThanOrEqual(Math.max(tolerance, leastTolerance));
  };

  const resamples = async (provider: WebProvider, entry: ResamplingCase) => {
    const deviations = await page.evaluate(([p, e]) => globalThis.resampling(p, e), [provider, entry] as const);
    expect(deviations.length).toBeGreaterThan(1);
    expect(deviations.filter(({ error }) => !(error < 1e-5))).toEqual([]);
  };

  describe("WebAssembly", () => {
    it("uses threads where the page is cross-origin isolated", async () => {
      const info = await page.evaluate(() => globalThis.info("wasm"));
      expect(info).toMatchObject({
        provider: "wasm",
        threads: await page.evaluate(() => Math.min(4, navigator.hardwareConcurrency)),
      });
      expect(info.runtime).toMatch(/^onnxruntime-web \d/);
    });
    it("keeps outputs in the worker", async () => {
      expect(await page.evaluate(() => globalThis.keep("wasm"))).toEqual([4, 5, 6]);
    });
    it("takes weights apart from the message", async () => {
      expect(await page.evaluate(() => globalThis.apart("wasm"))).toEqual([2_001_000, 2000]);
    });
    it.each(operatorCases)("%s", (_, golden) => agree("wasm", golden));
    it.each(resamplingCases)("resampling: %s", (_, entry) => resamples("wasm", entry));
  });

  describe("WebGPU", () => {
    it("keeps outputs in the graphics card's memory", async () => {
      expect(await page.evaluate(() => globalThis.keep("webgpu"))).toEqual([4, 5, 6]);
    });
    it("takes weights apart from the message", async () => {
      expect(await page.evaluate(() => globalThis.apart("webgpu"))).toEqual([2_001_000, 2000]);
    });
    it("folds constants on the CPU", async () => {
      expect(await page.evaluate(() => globalThis.fold("webgpu"))).toEqual([2, 2 ** 40 + 1]);
    });
    for (const [name, golden] of operatorCases) {
      const leastTolerance = golden.ops.some((op) => trigonometric.has(op)) ? 2 ** -11 : 0;
      const reason = gpuFailures[name];
      if (reason) it.fails(`${name} (${reason})`, () => agree("webgpu", golden));
      else it(name, () => agree("webgpu", golden, leastTolerance));
    }
  });
});
