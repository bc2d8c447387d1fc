import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OnnxModel, OnnxNode, ValueInfo } from "../../../engine/onnx/model.js";
import { saveModel } from "../../../engine/onnx/write-file.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { writeImage } from "../../../vision/data/node/image-file.js";
import { faultline, scratch } from "../../cli/testing/scene.js";
import type { AttackRecord } from "../run-attack.js";
import type { AttackSummary } from "../summary.js";
import type { Check } from "./check.js";

// Nearest of four pictures: the logit of a class is a distance, times a factor. CDist is an operator that ONNX Runtime has and Faultline knows nothing of.

const [side, classes, count] = [8, 4, 6];
const n = 3 * side * side;
const folder = scratch();
const data = folder.path("pictures");
const random = new Random(7, "prototypes");
const prototypes = tensor(
  "float32",
  [classes, n],
  Float32Array.from({ length: classes * n }, () => random.uniform(0.3, 0.7)),
);

/** x W, with W so that the largest is the nearest prototype but for their lengths, which are alike; `factor` saturates the softmax. */
const linear = (factor: number) => {
  const weights = tensor("float32", [n, classes]);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < classes; k++) weights.data[i * classes + k] = factor * (prototypes.data[k * n + i]! - 0.5);
  return classifier([node("Sub", ["flat", "half"], ["c"]), node("MatMul", ["c", "w"], ["y"])], { w: weights });
};

/** Minus the distances to the prototypes. */
const distances = () =>
  classifier([{ ...node("CDist", ["flat", "p"], ["d"]), domain: "com.microsoft" }, node("Neg", ["d"], ["y"])], { p: prototypes });

const float = (name: string, shape: ValueInfo["shape"]): ValueInfo => ({ name, type: "float32", shape });
const node = (op: string, inputs: readonly string[], outputs: readonly string[]): OnnxNode => ({
  name: op,
  op,
  domain: "",
  inputs,
  outputs,
  attributes: {},
});

function classifier(nodes: readonly OnnxNode[], constants: Readonly<Record<string, Tensor>>): OnnxModel {
  const graph = {
    name: "g",
    inputs: [float("x", ["n", 3, side, side])],
    outputs: [float("y", ["n", classes])],
    initializers: new Map<string, Tensor>([
      ...Object.entries(constants),
      ["shape", tensor("int64", [2], [-1, n])],
      ["half", tensor("float32", [], [0.5])],
    ]),
    nodes: [node("Reshape", ["x", "shape"], ["flat"]), ...nodes],
    valueInfo: new Map(),
  };
  return { irVersion: 8, opset: 18, customOpsets: { "com.microsoft": 1 }, producer: "", metadata: {}, graph };
}

beforeAll(async () => {
  mkdirSync(data, { recursive: true });
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const k = i % classes;
    const values = prototypes.data.slice(k * n, (k + 1) * n).map((v) => v + random.uniform(-0.1, 0.1));
    await writeImage(`${data}/p${i}.png`, tensor("float32", [3, side, side], values));
    lines.push(`p${i}.png ${k}`);
  }
  writeFileSync(`${data}/labels.txt`, lines.join("\n"));
  await saveModel(linear(1), folder.path("plain.onnx"));
  await saveModel(linear(1e6), folder.path("saturated.onnx"));
  await saveModel(distances(), folder.path("opaque.onnx"));
});
afterAll(() => folder.remove());

const json = <T>(...path: string[]) => JSON.parse(readFileSync(folder.path(...path), "utf8")) as T;
const run = (model: string, ...flags: string[]) => {
  const where = ["--data", data, "--task", "classification", "--range", "0..1", "--channels", "rgb", "--meaning", "logits"];
  return faultline("attack", folder.path(`${model}.onnx`), ...where, "--seed", "1", "--allow-audit", ...flags);
};
const checkOf = (out: string) =>
  json<Check[]>(out, "audit.json").find(({ name }) => name === "Beats an attack without gradients")!;

describe("the audit lets Square have a go", () => {
  const pgd = ["--attack", "pgd", "--epsilon", "0.2", "--steps", "10"];

  it("a model whose softmax is saturated: Square breaks what PGD did not, and the audit says what to do", async () => {
    const { code, out } = await run("saturated", ...pgd, "--out", folder.path("masked"));
    expect(code).toBe(0);
    expect(json<AttackSummary>("masked", "summary.json").metrics.truth!.adversarial["top-1"]).toBeGreaterThan(0.5);
    const check = checkOf("masked");
    expect(check.verdict).toBe("warning");
    expect(check.sentence).toMatch(
      /^Square with 100 predictions and no gradient broke \d of \d samples that the attack left unbroken/,
    );
    expect(check.sentence).toContain("--attack autoattack");
    expect(out).toContain("Beats an attack without gradients");
  });

  it("the same model without the factor: PGD leaves it nothing, or nothing that it breaks", async () => {
    await run("plain", ...pgd, "--epsilon", "0.02", "--out", folder.path("sound"));
    expect(checkOf("sound").verdict).not.toBe("warning");
    await run("plain", ...pgd, "--step-size", "0.1", "--out", folder.path("broken"));
    expect(checkOf("broken")).toMatchObject({ verdict: "not applicable", sentence: "The attack left no sample unbroken." });
  });
});

describe("a model with an operator that nobody can differentiate", () => {
  it("is refused by attacks that need its gradient", async () => {
    const { code, err } = await run("opaque", "--attack", "pgd", "--out", folder.path("refused"));
    expect(code).not.toBe(0);
    expect(err).toMatch(/CDist/);
  });

  it.each([
    ["square", ["--epsilon", "0.3", "--queries", "300"]],
    ["simba", ["--queries", "600", "--change", "0.5"]],
    ["nes", ["--epsilon", "0.3", "--queries", "600", "--samples", "20", "--sigma", "0.01", "--step-size", "0.05"]],
  ])("%s breaks it, and says with how many predictions", async (attack, flags) => {
    const out = `opaque-${attack}`;
    const ran = await run("opaque", "--attack", attack, ...flags, "--batch", "4", "--out", folder.path(out));
    expect(ran.err).not.toMatch(/faultline:/);
    expect(ran.code).toBe(0);
    const { found, metrics } = json<AttackSummary>(out, "summary.json");
    expect(metrics.truth!.clean["top-1"]).toBe(1);
    expect(metrics.truth!.adversarial["top-1"]).toBeLessThan(0.5);
    expect(found!.queries!.most).toBeLessThanOrEqual(600);
    // Counts are whole numbers (medians of an even number of them may lie between two), and a size has its norm: SimBA is kept in none.
    expect(ran.out).toMatch(/queries: median \d+(\.5)?, at most \d+\n/);
    expect(ran.out).toMatch(
      attack === "simba" ? /, simba; largest saved perturbation [\d.]+ in l_2\n/ : / in l_inf, epsilon 76.5\/255; largest/,
    );
    const records = readFileSync(folder.path(out, "records.jsonl"), "utf8").trim().split("\n");
    for (const line of records) expect((JSON.parse(line) as AttackRecord).found!.queries).toBeGreaterThan(0);
    expect(readFileSync(folder.path(out, "report.html"), "utf8")).toContain("queries, median");
    const verdicts = json<Check[]>(out, "audit.json").map(({ name, verdict }) => `${name}: ${verdict}`);
    expect(verdicts.filter((v) => v.endsWith("failed"))).toEqual([]);
  });
});

describe("autoattack on the command line", () => {
  const flags = ["--attack", "autoattack", "--epsilon", "0.1", "--steps", "5", "--queries", "20", "--batch", "4"];

  it("says what is right after each of its attacks, and gives the same bytes when it is interrupted or split", async () => {
    const whole = await run("plain", ...flags, "--out", folder.path("whole"));
    const summary = json<AttackSummary>("whole", "summary.json");
    expect(summary.after!.map(({ attack }) => attack)).toEqual(["apgd-ce", "apgd-t", "fab-t", "square"]);
    expect(whole.out).toMatch(/after apgd-ce: [\d.]+ % right\nafter apgd-t: [\d.]+ % right\nafter fab-t: .*\nafter square: /);
    expect(readFileSync(folder.path("whole", "report.html"), "utf8")).toContain("after apgd-t");
    expect(summary.after!.at(-1)!.correct).toBeCloseTo(summary.metrics.truth!.adversarial["top-1"]!, 6);
    for (const shard of ["1", "2"])
      await run("plain", ...flags, "--shard", `${shard}/2`, "--no-audit", "--out", folder.path(`part-${shard}`));
    await faultline("merge", folder.path("part-1"), folder.path("part-2"), "--out", folder.path("merged"));
    const bytes = (out: string) => readFileSync(folder.path(out, "records.jsonl"), "utf8");
    expect(bytes("merged")).toBe(bytes("whole"));
    writeFileSync(folder.path("whole", "records.jsonl"), bytes("whole").split("\n").slice(0, 4).join("\n"));
    await run("plain", ...flags, "--out", folder.path("whole"));
    expect(bytes("whole")).toBe(bytes("merged"));
  });
});
