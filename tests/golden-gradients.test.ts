import { describe, expect, it } from "vitest";
import { lower } from "../src/engine/compile/lower.js";
import { compareWithGolden } from "../src/engine/testing/golden-case.js";
import { openGoldenFolder, readGolden } from "../src/engine/testing/golden-folder.js";
import { runModel } from "../src/engine/testing/run-model.js";

const folders = [
  openGoldenFolder(
    new URL("../../shared/golden/gradients/", import.meta.url),
    new URL("../fixtures/golden/gradients/", import.meta.url),
  ),
  openGoldenFolder(new URL("../fixtures/golden/extra-gradients/", import.meta.url)),
  openGoldenFolder(new URL("../fixtures/golden/newer-operators/", import.meta.url)),
];
const cases = folders.flatMap((folder) => (folder ? folder.cases.map((golden) => [golden.name, folder, golden] as const) : []));

describe.skipIf(cases.length === 0)("gradients of golden models agree with PyTorch in float64", () => {
  describe.each([
    ["disabled", "plain"],
    ["all", "plain"],
    ["disabled", "rewritten"],
    ["all", "rewritten"],
  ] as const)("optimization %s, %s", (level, form) => {
    it.each(cases)("%s", async (_, folder, golden) => {
      const deviations = await compareWithGolden(golden, readGolden(folder, golden), (model, feeds) =>
        runModel(form === "rewritten" ? lower(model, "cpu") : model, feeds, level),
      );
      for (const { tensor, error, tolerance } of deviations) {
        expect.soft(error, tensor).toBeLessThanOrEqual(tolerance);
      }
    });
  });
});
