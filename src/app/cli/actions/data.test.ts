import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { smallClassifier } from "../../../vision/model/testing/small-classifier.js";
import { parseModelSpec } from "../../../vision/spec/model-spec.js";
import { openFlagged } from "./data.js";

it("joins the data set's ignored label to the specification's, for every command that opens one, unless --ignore says all", async () => {
  const model = smallClassifier();
  const voc = fileURLToPath(new URL("../../../../fixtures/data/voc", import.meta.url));
  const { dataset, spec } = await openFlagged(voc, parseModelSpec({ task: "segmentation", ignore: [7] }), {}, model);
  expect(dataset.task === "segmentation" && dataset.ignoreLabel).toBe(255);
  expect(spec.ignore).toEqual([7, 255]);
  const said = await openFlagged(voc, parseModelSpec({ task: "segmentation", ignore: [-1] }), { ignore: [-1] }, model);
  expect(said.spec.ignore).toEqual([-1]);
});
