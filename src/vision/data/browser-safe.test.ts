import { build } from "esbuild";
import { expect, it } from "vitest";

it("bundles for the browser without Node's modules or sharp", async () => {
  const { metafile } = await build({
    entryPoints: ["src/vision/data/index.ts"],
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "esm",
    logLevel: "silent",
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((path) => path.includes("/node/"))).toEqual([]);
  expect(inputs.filter((path) => path.includes("node_modules")).every((path) => path.includes("node_modules/fflate/"))).toBe(
    true,
  );
});
