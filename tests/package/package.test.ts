import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transformSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch } from "../browser/chromium.js";
import { serve } from "../browser/server.js";
import { manifest, pack, Workplace } from "./pack.js";

// The package as others get it: packed, in a folder of its own outside the checkout.

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const app = new Workplace();
let tarball: string;
let removePack: () => void;

beforeAll(() => {
  ({ tarball, remove: removePack } = pack());
  app.install(tarball);
}, 300_000);
afterAll(() => {
  app.remove();
  removePack();
});

/** Three lines that use what needs the native binary, and say what came of it. */
const gradient = `
import { createEngine, Graph, gradients, reduceMean, relu, tensor, toNumbers } from "faultline";
const engine = await createEngine();
const graph = new Graph();
const x = graph.input("x", "float32", [4]);
graph.output("dx", gradients(reduceMean(relu(x)), [x])[0]!);
const program = await engine.compile(graph);
const { dx } = await program.run({ x: tensor("float32", [4], [-1, 1, 2, -3]) });
export const result: { readonly runtime: string; readonly dx: number[] } = { runtime: engine.info.runtime, dx: toNumbers(dx!) };
await engine.dispose();
`;

/** The types taken away, and the result printed. */
const asJavaScript = (text: string): string =>
  `${transformSync(text, { loader: "ts", format: "esm" }).code}console.log(JSON.stringify(result));`;

describe("the package outside the checkout", () => {
  it("holds what it was built to, and no sources or tests", () => {
    const files = app.run("tar", "tzf", tarball).out.trim().split("\n");
    expect(files).toEqual(
      expect.arrayContaining(["package/dist/index.js", "package/dist/index.d.ts", "package/dist/index.web.js"]),
    );
    expect(files.filter((f) => !/^package\/(dist\/|bin\/|package\.json|README\.md|LICENSE)/.test(f))).toEqual([]);
    expect(files.filter((f) => /\.test\.|\/testing\//.test(f))).toEqual([]);
  });

  it("has a command line", () => {
    const { code, out } = app.node("node_modules/.bin/faultline", "--version");
    expect({ code, out: out.trim() }).toEqual({ code: 0, out: manifest().version });
  });

  it("is imported as a module, and computes", () => {
    app.write("gradient.mjs", asJavaScript(gradient));
    const { code, out, err } = app.node("gradient.mjs");
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ dx: [0, 0.25, 0.25, 0] });
  });

  it("has types that hold under the strictest settings, without @types/node and without skipLibCheck", () => {
    app.write("types.ts", gradient);
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
    app.write("types.ts", gradient.replace('"float32", [4]);', '"float33", [4]);'));
    expect(app.node(bin("tsc"), "-p", ".").out).toMatch(/types\.ts.*"float33"/);
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
    place.write("gradient.mjs", asJavaScript(gradient));
    expect(JSON.parse(place.node("gradient.mjs").out)).toMatchObject({ dx: [0, 0.25, 0.25, 0] });
    expect(place.node("node_modules/.bin/faultline", "--version").out.trim()).toBe(manifest().version);
  });
});

const browser = await launch();
if (typeof browser === "string") console.warn(`The Vite build is not run in a browser. ${browser}`);
afterAll(async () => {
  if (typeof browser !== "string") await browser.close();
});

describe("the package in a Vite build", () => {
  beforeAll(async () => {
    app.write("web/index.html", '<!doctype html><title>Vite</title><script type="module" src="./main.ts"></script>');
    app.write("web/main.ts", `${gradient}(globalThis as { result?: unknown }).result = result;`);
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
    expect(kilobytes).toBeLessThan(600);
  });

  it.skipIf(typeof browser === "string")("computes in Chromium", async () => {
    if (typeof browser === "string") return;
    const site = await serve({ "/": pathToFileURL(`${join(app.path, "web/dist")}/`) });
    const page = await browser.newPage();
    try {
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      await page.goto(`${site.address}index.html`);
      const result = await page.waitForFunction(() => (globalThis as { result?: unknown }).result, undefined, {
        timeout: 60_000,
      });
      expect(await result.jsonValue()).toMatchObject({ dx: [0, 0.25, 0.25, 0] });
      expect(faults).toEqual([]);
    } finally {
      await page.close();
      site.close();
    }
  });
});
