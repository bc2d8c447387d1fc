import { describe, expect, it } from "vitest";
import { lower } from "../src/engine/compile/lower.js";
import { compareWithGolden } from "../src/engine/testing/golden-case.js";
import { openGoldenFolder, readGolden } from "../src/engine/testing/golden-folder.js";
import { runModel } from "../src/engine/testing/run-model.js";

const folder = openGoldenFolder(
  new URL("../../shared/golden/gradients/", import.meta.url),
  new URL("../fixtures/golden/gradients/", import.meta.url),
);

describe.skipIf(!folder)("rewritten gradients of golden models agree with PyTorch in float64", () => {
  // graphs for WebGPU run on the CPU as well
  describe.each(["cpu", "webgpu"] as const)("rewritten for %s", (provider) => {
    it.each(folder?.cases.map((c) => [c.name, c] as const) ?? [])("%s", async (_, golden) => {
      const deviations = await compareWithGolden(golden, readGolden(folder!, golden), (model, feeds) =>
        runModel(lower(model, provider), feeds, "all"),
      );
      for (const { tensor, error, tolerance } of deviations) {
        expect.soft(error, tensor).toBeLessThanOrEqual(tolerance);
      }
    });
  });
});
