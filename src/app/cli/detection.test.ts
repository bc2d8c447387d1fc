import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { conv, reshape, sigmoid } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { writeImage } from "../../vision/data/node/image-file.js";
import { syntheticDataset } from "../../vision/data/synthetic/dataset.js";
import { objectsOf } from "../../vision/tasks/detection/boxes.js";
import type { AttackSummary } from "../attack/summary.js";
import { faultline, scratch } from "./testing/scene.js";

const detector = fileURLToPath(new URL("../../../fixtures/models/detector.onnx", import.meta.url));
const { path, remove } = scratch();
const classes = ["disc", "square", "triangle", "hexagon", "star", "cross", "ring", "heart"];

/** Scenes in COCO's form, with its gaps between the categories' numbers. */
async function writeCoco(root: string, count: number): Promise<void> {
  const dataset = syntheticDataset({ task: "detection", size: { height: 96, width: 112 }, length: count, seed: "test" });
  mkdirSync(join(root, "annotations"), { recursive: true });
  mkdirSync(join(root, "val2017"), { recursive: true });
  const images: object[] = [];
  const annotations: object[] = [];
  for (let i = 0; i < count; i++) {
    const { inputs, target } = await dataset.sample(i);
    const file_name = `${String(i).padStart(12, "0")}.png`;
    await writeImage(join(root, "val2017", file_name), inputs.image!);
    images.push({ id: 100 - i, file_name, width: 112, height: 96 });
    for (const { x1, y1, x2, y2, label } of objectsOf(target!))
      annotations.push({ image_id: 100 - i, category_id: 1 + 2 * label, bbox: [x1, y1, x2 - x1, y2 - y1], iscrowd: 0 });
  }
  const categories = classes.map((name, k) => ({ id: 1 + 2 * k, name }));
  writeFileSync(join(root, "annotations", "instances_val2017.json"), JSON.stringify({ images, annotations, categories }));
}

beforeAll(() => writeCoco(path("coco"), 3));
afterAll(remove);

const summaryOf = (...run: string[]) => JSON.parse(readFileSync(path(...run, "summary.json"), "utf8")) as AttackSummary;
const attack = (out: string, ...more: readonly string[]) =>
  faultline("attack", detector, "--data", path("coco"), "--threads", "1", "--out", path(out), ...more);

describe("a detector is attacked on COCO's form of data", () => {
  it("PGD breaks it, and the report draws boxes", async () => {
    const { code, out, err } = await attack("pgd", "--attack", "pgd", "--steps", "10");
    expect(code, `${out}${err}`).toBe(0);
    const { metrics, headline, samples, errors } = summaryOf("pgd");
    expect([headline.name, samples, errors]).toEqual(["mAP", 3, []]);
    expect(metrics.truth!.clean.mAP).toBeGreaterThan(0.5);
    expect(metrics.truth!.adversarial.mAP).toBeLessThan(0.1);
    expect(metrics.prediction!.clean.mAP50).toBe(1);
    expect(out).toContain("mAP to the truth");
    expect(out).not.toContain("AP class");
    expect(out).toContain("3 surrounded with gray (114 of 255) within the predictor");
    const page = readFileSync(path("pgd", "report.html"), "utf8");
    for (const text of ["Boxes, clean", "Boxes, adversarial", "Ground truth", '<th scope="col">AP, clean</th>', "heart"])
      expect(page).toContain(text);
    // In the order of the pictures' ids.
    const records = readFileSync(path("pgd", "records.jsonl"), "utf8").trim().split("\n");
    expect(records.map((line) => JSON.parse(line).sample)).toEqual(["000000000002", "000000000001", "000000000000"]);
  });

  it.each([
    ["vanish", (before: number, after: number) => after < 0.75 * before],
    ["flood", (before: number, after: number) => after > 1.8 * before],
  ] as const)("--target %s", async (wish, came) => {
    const bound = { vanish: ["--fail-under", "boxes=99"], flood: ["--fail-over", "boxes=1"] }[wish];
    const { code, out, err } = await attack(wish, "--attack", "pgd", "--steps", "10", "--target", wish, "--no-audit", ...bound);
    expect(code, `${out}${err}`).toBe(2);
    expect(err).toMatch(/^faultline: boxes is \d+\.\d under attack, (below|above) the (99|1)\.0 of --fail-(under|over)\.$/m);
    const { metrics } = summaryOf(wish);
    expect(came(metrics.target!.clean.boxes!, metrics.target!.adversarial.boxes!), JSON.stringify(metrics.target)).toBe(true);
    expect(readFileSync(path(wish, "report.html"), "utf8")).toMatch(/boxes against the attacker&#39;s target went from/);
  });

  it("--target class:NAME turns what is seen", async () => {
    const { code, out, err } = await attack("heart", "--attack", "pgd", "--steps", "10", "--target", "class:heart", "--no-audit");
    expect(code, `${out}${err}`).toBe(0);
    const { target } = summaryOf("heart").metrics;
    expect(target!.adversarial.mAP50!).toBeGreaterThan(target!.clean.mAP50! + 0.15);
  });

  it.each([
    [["--target", "vanished"], /--target vanished: detection takes "vanish"/],
    [["--target", "class:hart"], /there is no class "hart" \(did you mean "heart"\?\)/],
    [["--target", "class:9"], /--target class:9: the model has the classes 0 to 7/],
    [["--target", "vanish", "--loss", "flood"], /The loss "flood" looks at no target/],
    [["--output-head", "detr"], /^faultline: The output "output0" \[[^\]]+\] cannot be a head "detr"/],
    // The file leaves all axes of the output open: found at the first picture, not sample by sample.
    [["--output-head", "yolov5"], /^faultline: The output "output0" \[1, 12, 144\] cannot be a head "yolov5"/],
    [["--fail-over", "boxes=4", "--target", "vanish"], /--target vanish wants fewer boxes; say --fail-under boxes=4/],
    [["--mismatch", "tile"], /tile/],
    [["--split", "train"], /has no annotations for the split "train"; it has val2017/],
  ] as const)("%j is refused in a sentence", async (flags, message) => {
    const { code, err } = await attack("refused", ...flags, "--attack", "pgd", "--steps", "1", "--no-audit");
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n {4}at /);
    expect(code).toBe(1);
  });
});

it("a head that the file leaves open is read before the run, named, and kept in its plan", async () => {
  cpSync(detector, path("open.onnx"));
  const { code, err } = await faultline(
    ...["attack", path("open.onnx"), "--task", "detection", "--data", path("coco"), "--limit", "1", "--threads", "1"],
    ...["--attack", "fgsm", "--no-audit", "--out", path("open")],
  );
  expect(code, err).toBe(0);
  expect(err).toContain("head of the detector yolov8 (--output-head)");
  expect(JSON.parse(readFileSync(path("open", "run.json"), "utf8")).spec.output.head).toBe("yolov8");
});

it("doctor recognizes the head and finds the range", async () => {
  const spec = path("blank.json");
  writeFileSync(spec, "{}");
  const say = ["--spec", spec, "--task", "detection", "--data", path("coco"), "--threads", "1"];
  const fed = await faultline("doctor", detector, ...say);
  expect(fed.code, fed.out).toBe(0);
  expect(fed.err).toContain("3 pictures with");
  expect(fed.err).toMatch(/objects of 8 classes, from .*instances_val2017\.json\./);
  expect((await faultline("doctor", detector, ...say, "--json")).err).toBe("");
  expect(fed.out).toMatch(/ok +head +yolov8: output0 \[1, 12, 144\]/);
  expect(fed.out).toContain("surrounded with gray (114 of 255) to 96x96 for the model");
  expect(fed.out).toMatch(/ok +range +0\.\.1 does best or as well: mAP50/);
  const wrongly = await faultline("doctor", detector, ...say, "--range", "0..255");
  expect(wrongly.out).toMatch(/Try: --range 0\.\.1/);
});

describe("a detector's run is a run like any other", () => {
  const run = (out: string, ...more: readonly string[]) =>
    attack(out, "--attack", "pgd", "--steps", "2", "--no-audit", "--quiet", ...more);
  const bytes = (...names: string[]) => readFileSync(path(...names));

  it("in shards, merged, and resumed: the same bytes", async () => {
    await run("whole");
    await run("first", "--shard", "1/2");
    await run("second", "--shard", "2/2");
    const { code, err } = await faultline("merge", path("first"), path("second"), "--out", path("merged"));
    expect(code, err).toBe(0);
    for (const name of ["records.jsonl", "summary.json"]) expect(bytes("merged", name)).toEqual(bytes("whole", name));
    cpSync(path("whole"), path("resumed"), { recursive: true });
    const [line] = bytes("whole", "records.jsonl").toString().split("\n");
    writeFileSync(path("resumed", "records.jsonl"), `${line}\n`);
    await run("resumed");
    for (const name of ["records.jsonl", "summary.json"]) expect(bytes("resumed", name)).toEqual(bytes("whole", name));
  });

  it("its images on another detector", async () => {
    cpSync(detector, path("twin.onnx"));
    cpSync(detector.replace(".onnx", ".spec.json"), path("twin.spec.json"));
    const { code, err } = await faultline("transfer", path("whole"), path("twin.onnx"), "--quiet");
    expect(code, err).toBe(0);
    const { metrics, transfer } = summaryOf("whole");
    expect(transfer![0]!.metrics.truth!.clean).toEqual(metrics.truth!.clean);
    expect(transfer![0]!.metrics.truth!.saved).toEqual(metrics.truth!.saved);
  });

  it("its images on a detector of other classes: what is counted is told, what depends on classes is refused", async () => {
    const graph = new Graph();
    const random = new Random(1, "weights");
    const weights = Array.from({ length: 7 * 192 }, () => random.uniform(-0.1, 0.1));
    const kernel = graph.constant(tensor("float32", [7, 3, 8, 8], weights));
    const map = reshape(
      sigmoid(conv(graph.input("images", "float32", [1, 3, 96, 96]), kernel, { strides: [8, 8] })),
      [1, 7, 144],
    );
    graph.output("output0", map);
    await saveModel(graph.build(), path("three.onnx"));
    writeFileSync(
      path("three.spec.json"),
      JSON.stringify({ task: "detection", output: { head: "yolov8", boxes: "cxcywh-normalized" } }),
    );
    const refused = await faultline("transfer", path("whole"), path("three.onnx"), "--quiet");
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/finds 3 classes and .*detector\.onnx 8, so their classes are not the same/),
    ]);
    const { code, out, err } = await faultline("transfer", path("vanish"), path("three.onnx"));
    expect(code, err).toBe(0);
    expect(out).toMatch(/on other models +boxes clean +adversarial/);
    expect(out).toMatch(/three +\d+\.\d+ +not kept +\d+\.\d+/);
    expect(Object.keys(summaryOf("vanish").transfer![0]!.metrics)).toEqual(["target", "prediction"]);
  });

  it("a step of its attack as a file", async () => {
    const { code, err } = await faultline("compile", detector, "--attack", "pgd", "--epsilon", "8/255", "-o", path("step.onnx"));
    expect(code, err).toBe(0);
    expect(readFileSync(path("step.md"), "utf8")).toContain(
      "| `target` | float32 | [1, 6, 144] | what the attack drives away from: for each place x1, y1, x2, y2 in pixels, class, and 1 where it is about an object",
    );
  });
});

describe("where a detector has nothing to say", () => {
  beforeAll(async () => {
    mkdirSync(path("dark", "images"), { recursive: true });
    const dark = { type: "float32", shape: [3, 96, 96], data: new Float32Array(3 * 96 * 96).fill(0.1) } as const;
    await writeImage(path("dark", "images", "0.png"), dark);
  });
  const onDark = (out: string, ...more: readonly string[]) =>
    faultline(
      ...[
        "attack",
        detector,
        "--data",
        path("dark"),
        "--attack",
        "fgsm",
        "--no-audit",
        "--threads",
        "1",
        "--out",
        path(out),
        ...more,
      ],
    );

  it("--target vanish says that there was nothing, on the terminal and in the report", async () => {
    const { code, out, err } = await onDark("nothing", "--target", "vanish");
    expect(code, err).toBe(0);
    expect(out).toContain("the model sees nothing in the pictures as they are (no box has a score of 0.25 or more)");
    expect(readFileSync(path("nothing", "report.html"), "utf8")).toContain("The model sees nothing in the pictures as they are");
    await attack("something", "--attack", "fgsm", "--no-audit");
    expect(readFileSync(path("something", "report.html"), "utf8")).not.toContain("sees nothing");
  });

  it("a bound on what has no number is not met, and a size without objects shows as a dash", async () => {
    const { code, err } = await attack("something", "--attack", "fgsm", "--no-audit", "--fail-under", "map large=1");
    expect(err).toContain(
      "mAP large could not be measured (nothing in the data counts for it), so --fail-under mAP large=1 is not met",
    );
    expect(code).toBe(2);
    const page = readFileSync(path("something", "report.html"), "utf8");
    expect(page).toContain("mAP large</abbr></th><td>–</td><td>–</td>");
    expect(page).not.toMatch(/>NaN/);
  });
});
