import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { faultline, scratch } from "./testing/scene.js";

// A specification that flags made wrong: the sentence names the flag that was typed, and not the field that it went into.

const detector = fileURLToPath(new URL("../../../fixtures/models/detector.onnx", import.meta.url));
const folder = scratch();
afterAll(() => folder.remove());

describe.each([
  [["--output-head", "yolov9"], /^faultline: --output-head: must be one of yolov8, .*, not "yolov9"\.$/],
  [["--output-boxes", "xywh"], /^faultline: --output-boxes: must be one of cxcywh, .*, not "xywh"\.$/],
  [["--output-nms", "2"], /^faultline: --output-nms: must be a number above 0 and at most 1, not 2\.$/],
  [["--meaning", "logit"], /^faultline: --meaning: must be one of .*, not "logit"\.$/],
  [["--meaning", "logits"], /^faultline: --meaning: is "boxes" for detection, not "logits"\.$/],
  [["--mean", "123,116,103", "--std", "58,57,57"], /^faultline: --mean: must be in units of \[0, 1\] .*, not 123;/],
  [["--mean", "0.5,0.5,0.5", "--std", "0,1,1"], /^faultline: --std: must be a number above 0, not 0\.$/],
  [["--ignore", "0.5"], /^faultline: --ignore: must be a whole number, not 0\.5\.$/],
  [["--ignore", "3"], /^faultline: --ignore: detection has no labels; leave it out\.$/],
  [["--label-offset", "1"], /^faultline: --label-offset: detection has no labels; leave it out\.$/],
  [["--output-scale", "2"], /^faultline: --output-scale: has no effect for detection; leave it out\.$/],
  [["--output-align", "median"], /^faultline: --output-align: has no effect for detection; leave it out\.$/],
  [["--output-range", "0..255"], /^faultline: --output-range: has no effect for detection; leave it out\.$/],
  [["--output-channels", "bgr"], /^faultline: --output-channels: has no effect for detection; leave it out\.$/],
] as const)("%j", (flags, sentence) => {
  it("is answered by the flag's name", async () => {
    const { code, err } = await faultline("spec", detector, ...flags);
    expect(err.trim()).toMatch(sentence);
    expect(code).toBe(1);
  });
});

it("what the file says wrong is the file's, beside a flag that is right", async () => {
  const spec = folder.path("bad.spec.json");
  writeFileSync(spec, JSON.stringify({ task: "detection", output: { boxes: "xywh" } }));
  const { err } = await faultline("spec", detector, "--spec", spec, "--output-head", "yolov8");
  expect(err).toMatch(/bad\.spec\.json is not valid: output\.boxes: must be one of/);
});

it("a head that the file's outputs cannot be is found before anything runs", async () => {
  const { code, err } = await faultline(
    "attack",
    detector,
    "--data",
    "synthetic:96x96,length=1",
    "--output-head",
    "ssd",
    "--out",
    folder.path("run"),
  );
  expect(err).toMatch(/^faultline: The output "output0" .* cannot be a head "ssd"/);
  expect(code).toBe(1);
  expect(existsSync(folder.path("run"))).toBe(false);
});
