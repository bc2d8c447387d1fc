import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { transformSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveModel, tensor, writeTensors } from "../../src/index.js";
import { smallClassifier } from "../../src/vision/model/testing/small-classifier.js";
import { launch } from "../browser/chromium.js";
import { serve } from "../browser/server.js";
import { manifest, pack, Workplace } from "./pack.js";

// The package as others get it: packed, in a folder of its own outside the checkout.

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const app = new Workplace();
let tarball: string;

beforeAll(async () => {
  tarball = pack();
  app.install(tarball);
  await saveModel(smallClassifier(), join(app.path, "net.onnx"));
}, 300_000);
afterAll(() => app.remove());

/** What needs types, native binary and a model, and says what came of it. */
const program = `
import { attack, loadModel, pgd, tensor } from "faultline";
const images = tensor("float32", [3, 3, 8, 8], new Float32Array(576).fill(0.5));
const model = await loadModel("net.onnx", { task: "classification", range: "imagenet" }, { batch: 2 });
const found = await attack(model, images, [0, 1, 2], pgd({ epsilon: 8 / 255, steps: 2 }));
export const result: { readonly success: readonly boolean[]; readonly shape: readonly number[] } = { success: found.success, shape: found.images.shape };
await model.dispose();
`;
const outcome = { success: [true, expect.any(Boolean), expect.any(Boolean)], shape: [3, 3, 8, 8] };

/** The types taken away, and the result printed. */
const asJavaScript = (text: string): string =>
  `${transformSync(text, { loader: "ts", format: "esm" }).code}console.log(JSON.stringify(result));`;

describe("the package outside the checkout", () => {
  it("holds what it was built to, and no sources or tests", () => {
    const files = app.run("tar", "tzf", tarball).out.trim().split("\n");
    expect(files).toEqual(
      expect.arrayContaining(["package/dist/index.js", "package/dist/index.d.ts", "package/dist/web/index.web.js"]),
    );
    expect(files.filter((f) => !/^package\/(dist\/|bin\/|package\.json|README\.md|LICENSE)/.test(f))).toEqual([]);
    expect(files.filter((f) => /\.test\.|\/testing\//.test(f))).toEqual([]);
  });

  it("says so where it was packed without being built", () => {
    const bare = new Workplace();
    cpSync(join(root, "bin"), join(bare.path, "bin"), { recursive: true });
    const { code, err } = bare.node("bin/faultline.js", "--version");
    bare.remove();
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^faultline: this package was packed without being built: .*`npm run pack`/),
    ]);
  });

  it("has a command line", () => {
    const { code, out } = app.node("node_modules/.bin/faultline", "--version");
    expect({ code, out: out.trim() }).toEqual({ code: 0, out: manifest().version });
  });

  it("is imported as a module, and computes", () => {
    app.write("program.mjs", asJavaScript(program));
    const { code, out, err } = app.node("program.mjs");
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(outcome);
  });

  it("runs a plugin, whose faultline is the command itself", async () => {
    app.write("wavering-pgd.mjs", readFileSync(join(root, "examples/plugins/wavering-pgd.mjs"), "utf8"));
    const images = tensor("float32", [2, 3, 8, 8], new Float32Array(384).fill(0.5));
    await writeTensors(join(app.path, "images.npz"), new Map([["images", images]]));
    const spec = ["--task", "classification", "--range", "imagenet", "--input", "images.npz"];
    const chosen = ["--plugin", "wavering-pgd.mjs", "--attack", "wavering-pgd", "--steps", "2", "--out", "found.npz"];
    const { code, out, err } = app.node("node_modules/.bin/faultline", "attack", "net.onnx", ...spec, ...chosen);
    expect(code, err).toBe(0);
    expect(out).toMatch(/after wavering-pgd; correct [\s\S]*found\.npz/);
  });

  it("has no file that does not load", () => {
    const dist = join(app.path, "node_modules/faultline/dist");
    const starts = ["node-worker.js", "cell-child.js"];
    const files = readdirSync(dist).filter((name) => name.endsWith(".js") && !starts.includes(name));
    expect(files).toEqual(expect.arrayContaining(["index.js", "main.js"]));
    const addresses = files.map((name) => pathToFileURL(join(dist, name)).href);
    app.write("load.mjs", `for (const address of ${JSON.stringify(addresses)}) await import(address);`);
    expect(app.node("load.mjs")).toEqual({ code: 0, out: "", err: "" });
  });

  it("has types that hold under the strictest settings, without @types/node and without skipLibCheck", () => {
    app.write("types.ts", program);
    const strict = {
      module: "NodeNext",
      target: "ES2022",
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
      types: [],
    };
    app.write("tsconfig.json", JSON.stringify({ compilerOptions: strict, files: ["types.ts"] }));
    expect(app.node(bin("tsc"), "-p", ".")).toEqual({ code: 0, out: "", err: "" });
    // A mistake in the use of the package is found: its types are not \`any\`.
    app.write("types.ts", program.replace("epsilon: 8 / 255", 'epsilon: "8/255"'));
    expect(app.node(bin("tsc"), "-p", ".").out).toMatch(/types\.ts.*Type 'string' is not assignable to type 'number'/);
  });

  it("says in one sentence that the native binary is missing", () => {
    const place = join(app.path, "node_modules/onnxruntime-node");
    rmSync(place);
    mkdirSync(place);
    for (const part of ["package.json", "dist"])
      cpSync(join(root, "node_modules/onnxruntime-node", part), join(place, part), { recursive: true });
    app.link("onnxruntime-common");
    app.write(
      "catch.mjs",
      'import { createEngine } from "faultline"; await createEngine().catch(({ name, message }) => console.log(name, message));',
    );
    expect(app.node("catch.mjs").out.trim()).toMatch(
      /^EngineError The package onnxruntime-node has no binary for \S+ \(onnxruntime_binding\.node is missing\): .*; install it again with ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node\.$/,
    );
    rmSync(place, { recursive: true });
    expect(app.node("catch.mjs").out.trim()).toMatch(
      /^EngineError The package onnxruntime-node is not installed; install it with .*\.$/,
    );
    app.link("onnxruntime-node");
  });
});

describe("installed by npm", () => {
  const place = new Workplace();
  afterAll(() => place.remove());

  it("computes, without any script of a dependency having run", (context) => {
    const { code, err } = place.run(
      "npm",
      "install",
      tarball,
      "--prefer-offline",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--fetch-retries=0",
    );
    if (/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENOTCACHED|E40[13]|network/.test(err)) {
      console.warn(`Installing the tarball with npm is not tested: no registry answers.`);
      context.skip();
    }
    expect(code, err).toBe(0);
    cpSync(join(app.path, "net.onnx"), join(place.path, "net.onnx"));
    place.write("program.mjs", asJavaScript(program));
    expect(JSON.parse(place.node("program.mjs").out)).toEqual(outcome);
    expect(place.node("node_modules/.bin/faultline", "--version").out.trim()).toBe(manifest().version);
  }, 300_000);
});

const browser = await launch();
if (typeof browser === "string") console.warn(`The Vite build is not run in a browser. ${browser}`);
afterAll(async () => {
  if (typeof browser !== "string") await browser.close();
});

describe("the package in a Vite build", () => {
  beforeAll(async () => {
    app.write("web/index.html", '<!doctype html><title>Vite</title><script type="module" src="./main.ts"></script>');
    const page = readFileSync(join(root, "docs/library/browser.md"), "utf8");
    const [, code] = /```ts\n([\s\S]*?)```/.exec(page)!;
    app.write(
      "web/main.ts",
      `${code}(globalThis as { found?: unknown }).found = { info: model.engine.info, sizes: result.perturbation };`,
    );
    mkdirSync(join(app.path, "web/public"));
    cpSync(join(app.path, "net.onnx"), join(app.path, "web/public/net.onnx"));
    const { build } = await import("vite");
    // No setting of its own: what a new project has.
    await build({ root: join(app.path, "web"), logLevel: "error" });
  });

  it("keeps ONNX Runtime out of the page's own script", () => {
    const html = readFileSync(join(app.path, "web/dist/index.html"), "utf8");
    const script = /src="\/(assets\/index-[^"]+\.js)"/.exec(html)?.[1];
    expect(script).toBeDefined();
    const kilobytes = readFileSync(join(app.path, "web/dist", script!)).length / 1000;
    expect(kilobytes).toBeGreaterThan(50);
    expect(kilobytes).toBeLessThan(800);
    const sizes = readdirSync(join(app.path, "web/dist/assets"), { withFileTypes: true }).map(({ name }) => {
      const bytes = readFileSync(join(app.path, "web/dist/assets", name));
      return `${name}: ${(bytes.length / 1000).toFixed(0)} kB, gzipped ${(gzipSync(bytes).length / 1000).toFixed(0)} kB`;
    });
    console.info(sizes.join("\n"));
  });

  it.skipIf(typeof browser === "string")("computes in Chromium", async () => {
    if (typeof browser === "string") return;
    const site = await serve({ "/": pathToFileURL(`${join(app.path, "web/dist")}/`) });
    const page = await browser.newPage();
    try {
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      await page.goto(`${site.address}index.html`);
      const found = await page.waitForFunction(() => (globalThis as { found?: unknown }).found, undefined, { timeout: 60_000 });
      const { info, sizes } = (await found.jsonValue()) as { info: { threads: number }; sizes: number[] };
      expect(info.threads).toBeGreaterThan(0);
      expect(sizes).toHaveLength(1);
      expect(sizes[0]).toBeGreaterThan(0);
      expect(sizes[0]).toBeLessThanOrEqual(8 / 255 + 1e-6);
      expect(faults).toEqual([]);
    } finally {
      await page.close();
      site.close();
    }
  });
});
