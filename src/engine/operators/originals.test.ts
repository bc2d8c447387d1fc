import { describe, expect, it } from "vitest";
import { differences } from "../testing/original-case.js";
import { checkedLevels } from "../testing/run-model.js";
import { originals } from "./original-cases.js";

describe.each(checkedLevels)("operators that are taken apart compute what ONNX Runtime's own do, optimisation %s", (level) => {
  it.each(originals.map((original) => [original.name, original] as const))("%s", async (_, original) => {
    expect(await differences(original, level)).toEqual([]);
  });
});
