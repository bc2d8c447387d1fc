import { describe, expect, it } from "vitest";
import { caseNames, dataFolder, groups } from "./onnx-backend/cases.js";
import { examine } from "./onnx-backend/examine.js";

/**
 * The cases of the ONNX project's own backend tests: nothing that Faultline computes may be wrong, and nothing may be blamed on a model that is
 * right. What is refused, and why, stands in docs/models.md (tools/onnx-backend-table.ts).
 */
const folder = dataFolder();

describe.skipIf(folder === undefined)("ONNX backend tests", () => {
  describe.each(groups)("%s", (group) => {
    const names = folder === undefined ? [] : caseNames(folder, group);
    it.each(names)("%s", async (name) => {
      const { forward, gradient } = await examine(folder!, name);
      expect.soft(forward.verdict === "wrong" ? forward.because : undefined, "forward").toBeUndefined();
      expect.soft(gradient?.verdict === "wrong" ? gradient.because : undefined, "gradient").toBeUndefined();
    });
  });
});

it.runIf(folder === undefined)(
  "ONNX backend tests are skipped: their data is not here (docs/models.md says how to get it)",
  ({ skip }) => skip(),
);
