/**
 * Writes dist's JavaScript beside the declarations of tsc (which `npm run build` runs first, on an empty dist).
 *
 * For Node in few files: finding and compiling a thousand small modules takes longer than running them (docs/large-models.md has the times). It is one
 * build with all of Node's entries: a module that several reach stands in a file that they share, so that a plugin's `import "faultline"` meets the
 * registries of the command that runs it. All files lie in one folder, where workers are found by `new URL("./node-worker.js", import.meta.url)`
 * whatever file that stands in. Packages stay imports.
 *
 * For the browser each module by itself: who builds a page bundles anyway, and drops what it does not use better than from files made of many.
 *
 *     npx tsx tools/bundle.ts
 */
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";

const common = {
  absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
  format: "esm",
  target: "es2022",
  // Names stay as they are written, so that stack traces can be read; `node --enable-source-maps` gives the lines of the source.
  sourcemap: true,
  sourcesContent: false,
  logLevel: "warning",
} satisfies BuildOptions;
const bundled = { ...common, bundle: true, splitting: true, packages: "external" } satisfies BuildOptions;

await build({
  ...bundled,
  entryPoints: ["src/index.ts", "src/app/cli/main.ts", "src/app/cells/cell-child.ts", "src/engine/runtime/node-worker.ts"],
  platform: "node",
  outdir: "dist",
  entryNames: "[name]",
  chunkNames: "[name]-[hash]",
});

const web = ["src/index.web.ts", "src/engine/runtime/web-worker.ts"];
const { metafile } = await build({ ...bundled, entryPoints: web, outdir: "dist/web", write: false, metafile: true });
await build({ ...common, entryPoints: Object.keys(metafile.inputs), outbase: "src", outdir: "dist/web" });
