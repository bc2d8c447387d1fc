import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** Every module and package in the browser bundle, and every import that it leaves open. */
async function bundle(entry: string): Promise<{ inputs: string[]; open: string[] }> {
  const { metafile } = await build({
    entryPoints: [source(entry)],
    bundle: true,
    write: false,
    metafile: true,
    outdir: "unwritten",
    format: "esm",
    platform: "browser",
    splitting: true,
    conditions: ["onnxruntime-web-use-extern-wasm"],
    external: builtinModules.flatMap((m) => [m, `node:${m}`]),
    logLevel: "silent",
  });
  const inputs = Object.keys(metafile.inputs);
  const open = Object.values(metafile.outputs).flatMap((o) => o.imports.filter((i) => i.external).map((i) => i.path));
  return { inputs, open };
}

it.each(["index.web.ts", "engine/runtime/web-worker.ts"])("%s bundles for the browser without modules of Node", async (entry) => {
  const { inputs, open } = await bundle(entry);
  expect(open).toEqual([]);
  expect(inputs.filter((path) => /node_modules\/(onnxruntime-node|sharp|commander|cli-progress)\//.test(path))).toEqual([]);
  expect(inputs.length).toBeGreaterThan(3);
});

it("keeps ONNX Runtime out of the page: it belongs to the worker", async () => {
  const { inputs } = await bundle("index.web.ts");
  expect(inputs.filter((path) => path.includes("onnxruntime"))).toEqual([]);
});

it("notices modules of Node: the entry for Node does not pass", async () => {
  expect((await bundle("index.ts")).open).not.toEqual([]);
});
