import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openGoldenFolder } from "../../src/engine/testing/golden-folder.js";
import { launch } from "./chromium.js";
import type { WebProvider } from "./page.js";
import { type SiteServer, serve } from "./server.js";

const root = new URL("../../", import.meta.url);
const folder = openGoldenFolder(new URL("../shared/golden/gradients/", root), new URL("fixtures/golden/gradients/", root))!;
const operatorCases = folder.cases.filter((c) => c.kind === "op").map((c) => [c.name, c] as const);

/** Tiny ones: the adapter of the tests computes on the processor. */
const gpuCases = [
  "relu",
  "add_broadcast",
  "matmul_2d",
  "conv_3x3",
  "leakyrelu",
  "logsoftmax",
  "reducemean_k1",
  "averagepool_k2s2",
];

const browser = await launch();
if (typeof browser === "string") console.warn(`Browser tests are skipped. ${browser}`);

describe.skipIf(typeof browser === "string")("the library in Chromium", () => {
  let site: SiteServer;
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
    site = await serve({
      "/built/": pathToFileURL(`${built}/`),
      "/golden/": folder.path,
      "/onnxruntime/": new URL("node_modules/onnxruntime-web/dist/", root),
    });
    page = await (browser as Browser).newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(`${site.address}built/index.html`);
    await page.waitForFunction(() => "golden" in globalThis);
  });

  afterAll(async () => {
    await (browser as Browser).close();
    site?.close();
    rmSync(built, { recursive: true });
  });

  const agree = async (provider: WebProvider, golden: (typeof folder.cases)[number], factor = 1) => {
    const deviations = await page.evaluate(([p, g]) => globalThis.golden(p, g), [provider, golden] as const);
    expect(deviations.length).toBeGreaterThan(1);
    for (const { tensor, error, tolerance } of deviations) expect.soft(error, tensor).toBeLessThanOrEqual(factor * tolerance);
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
    it.each(operatorCases)("%s", (_, golden) => agree("wasm", golden));
  });

  describe("WebGPU", () => {
    it("keeps outputs in the graphics card's memory", async () => {
      expect(await page.evaluate(() => globalThis.keep("webgpu"))).toEqual([4, 5, 6]);
    });
    it.each(operatorCases.filter(([name]) => gpuCases.includes(name)))("%s", (_, golden) => agree("webgpu", golden, 10));
  });
});
