import { describe, expect, it } from "vitest";
import { compareWithGolden } from "../src/engine/testing/golden-case.js";
import { openGoldenFolder, readGolden } from "../src/engine/testing/golden-folder.js";
import { checkedLevels, runModel } from "../src/engine/testing/run-model.js";

const folder = openGoldenFolder(
  new URL("../../shared/golden/gradients/", import.meta.url),
  new URL("../fixtures/golden/gradients/", import.meta.url),
);

describe.skipIf(!folder)("gradients of golden models agree with PyTorch in float64", () => {
  describe.each(checkedLevels)("optimisation %s", (level) => {
    it.each(folder?.cases.map((c) => [c.name, c] as const) ?? [])("%s", async (_, golden) => {
      const deviations = await compareWithGolden(golden, readGolden(folder!, golden), (model, feeds) =>
        runModel(model, feeds, level),
      );
      for (const { tensor, error, tolerance } of deviations) {
        expect.soft(error, tensor).toBeLessThanOrEqual(tolerance);
      }
    });
  });
});
