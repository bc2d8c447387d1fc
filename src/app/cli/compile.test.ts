import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { readModel } from "../../engine/onnx/read-file.js";
import { createEngine } from "../../engine/runtime/node.js";
import { parseSafetensors, writeSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { compileAscent } from "../../methods/attacks/ascent/compile-ascent.js";
import type { StepDescription } from "../../methods/attacks/ascent/step-description.js";
import { attacks } from "../../methods/attacks/catalogue/index.js";
import { ascentOf, attackOf, ownParameters } from "../../methods/attacks/definition.js";
import { modelPredictor } from "../../vision/spec/model-predictor.js";
import { parseModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { faultline, inputs, network, scratch } from "./testing/scene.js";

const folder = scratch();
afterAll(() => folder.remove());
const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
const python = ["python3", "/usr/bin/python3"].find((p) => {
  try {
    execFileSync(p, ["-c", "import onnxruntime, numpy"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});

const stored = parseSafetensors(readFileSync(inputs("segmentation"))).tensors;
const image = stored.get("input") as Tensor<"float32">;
const target = tensor("int64", stored.get("label")!.shape, toNumbers(stored.get("label")!));
const data = folder.path("data.safetensors");
writeFileSync(
  data,
  writeSafetensors(
    new Map<string, Tensor>([
      ["image", image],
      ["target", target],
    ]),
    // as PyTorch's users have it
    { format: "pt" },
  ),
);

describe("an exported step", () => {
  // Momentum and Auto-PGD carry state from step to step; FGSM has none.
  it.each<["fgsm" | "mi-fgsm" | "apgd", "l_inf" | "l_2"]>([
    ["fgsm", "l_inf"],
    ["mi-fgsm", "l_inf"],
    ["apgd", "l_2"],
  ])("%s in %s, run by plain ONNX Runtime, ends where the library does", async (name, norm) => {
    const step = folder.path(`${name}.onnx`);
    const flags = ["--attack", name, "--norm", norm, "--epsilon", "0.04", ...(name === "fgsm" ? [] : ["--steps", "5"])];
    const made = await faultline("compile", network("segmentation"), "--task", "segmentation", ...flags, "-o", step);
    expect(made.code, made.err).toBe(0);
    const out = folder.path(`${name}.safetensors`);
    execFileSync(process.execPath, [example("run-step.mjs"), step, data, out], { stdio: "ignore" });
    const plain = parseSafetensors(readFileSync(out)).tensors.get("image")!;

    const engine = await createEngine({ threads: 1 });
    try {
      const spec = parseModelSpec({ task: "segmentation" });
      const model = await readModel(network("segmentation"));
      const predictor = await modelPredictor(model, spec, { batch: 2, height: 12, width: 14 }, (m) => engine.evaluate(m));
      const parameters = ownParameters(attacks[name], { norm, epsilon: 0.04, steps: 5, randomStart: "none" });
      const compiled = await compileAscent(engine, await ascentOf(attackOf(attacks[name], parameters)), {
        predictor,
        task: tasks.segmentation,
        ignore: spec.ignore,
      });
      const { images } = await compiled.run({ images: { image }, target, samples: ["0", "1"], seed: 0 });
      images.image!.data.forEach((v, i) => {
        expect(Math.abs(v - Number(plain.data[i]))).toBeLessThan(2e-6);
      });
    } finally {
      await engine.dispose();
    }
  });

  it("draws its random start from the graph beside it, or says that it does not", async () => {
    const step = folder.path("random.onnx");
    const made = ["compile", network("segmentation"), "--task", "segmentation", "--attack", "pgd", "--batch", "2", "-o", step];
    expect((await faultline(...made)).code).toBe(0);
    const run = () =>
      execFileSync(process.execPath, [example("run-step.mjs"), step, data, folder.path("random.safetensors")], {
        encoding: "utf8",
      });
    expect(run()).toMatch(/^pgd begins at a random point; without .*random\.start\.onnx .*begins at the clean image/);
    expect((await faultline(...made, "--also", "start")).code).toBe(0);
    const [one, other] = [run(), run()];
    expect(one).toMatch(/^step 0/);
    expect(one).not.toBe(other);
  });

  it.skipIf(!python)("are run by Python's plain ONNX Runtime, by the example and by the loop in the description", async () => {
    const step = folder.path("python.onnx");
    const flags = ["--task", "segmentation", "--attack", "mi-fgsm", "--steps", "4"];
    await faultline("compile", network("segmentation"), ...flags, "--batch", "2", "-o", step);
    const result = folder.path("python.safetensors");
    const asked = ["--input", data, "--target", data, "--goal", "untargeted", "--out", result];
    const attacked = await faultline("attack", network("segmentation"), ...flags, ...asked);
    expect(attacked.code, attacked.err).toBe(0);
    const script = `
import sys, numpy
sys.path.insert(0, ${JSON.stringify(example("."))})
import run_step
run_step.main("python.onnx", "data.safetensors", "python.npz")
tensors = run_step.read_tensors("data.safetensors")
images, target = {"image": tensors["image"]}, tensors["target"]
exec(open("python.md").read().split("\`\`\`python\\n")[1].split("\`\`\`")[0])
want = run_step.read_tensors("python.safetensors")["image"]
for got in (numpy.load("python.npz")["image"], adversarial["image"]):
    assert numpy.abs(got - want).max() < 2e-6, numpy.abs(got - want).max()
`;
    execFileSync(python!, ["-c", script], { cwd: folder.path(), stdio: ["ignore", "ignore", "inherit"] });
  });

  it("traces the images that may change, and leaves out the others", async () => {
    const trace = folder.path("trace.safetensors");
    const flags = ["--task", "flow", "--attack", "pgd", "--steps", "2", "--perturb", "image1", "--trace", trace];
    const { code, err } = await faultline("attack", network("flow"), "--input", inputs("flow"), ...flags);
    expect(code, err).toBe(0);
    const { tensors } = parseSafetensors(readFileSync(trace));
    expect([...tensors.keys()].sort()).toEqual(["gradient_1", "loss", "loss_plain", "weight", "x_1"]);
  });

  it("describes all that it takes and gives, beside itself and within", async () => {
    const step = folder.path("described.onnx");
    const made = await faultline(
      ...[
        "compile",
        network("flow"),
        "--task",
        "flow",
        "--attack",
        "cospgd",
        "--alignment",
        "residual",
        "--steps",
        "3",
        "--batch",
        "2",
      ],
      ...["--eot", "gaussian-noise", "--eot-samples", "2", "--perturb", "image1", "--with", "valid", "region"],
      ...["--also", "start", "evaluation", "-o", step],
    );
    expect(made.code, made.err).toBe(0);
    const model = await readModel(step);
    const about = JSON.parse(readFileSync(folder.path("described.json"), "utf8")) as StepDescription;
    expect(JSON.parse(model.metadata["faultline.step"]!)).toEqual(about);
    const readme = readFileSync(folder.path("described.md"), "utf8");
    for (const v of [...model.graph.inputs, ...model.graph.outputs])
      expect(readme, v.name).toMatch(new RegExp(`^\\| \`${v.name}\` \\| ${v.type} \\| .+ \\| .+ \\|$`, "m"));
    const said = [
      ...["epsilon", "target", "valid", "region"],
      ...about.perturbed.map((r) => `clean.${r}`),
      ...about.fixed,
      ...about.state.map((s) => s.input),
      ...about.noise.map((n) => n.input),
      ...Object.keys(about.scalars),
    ];
    expect(said.sort()).toEqual(model.graph.inputs.map((i) => i.name).sort());
    expect(model.graph.inputs.find((i) => i.name === "x.image1")!.shape).toEqual([2, 3, 12, 14]);
    for (const file of ["described.start.onnx", "described.evaluation.onnx"]) expect(existsSync(folder.path(file))).toBe(true);
  });
});

it("the doctor reads a data set and recommends flags", async () => {
  const fixture = fileURLToPath(new URL("../../../fixtures/data/voc", import.meta.url));
  const { code, out } = await faultline(
    "doctor",
    network("segmentation"),
    "--task",
    "segmentation",
    "--meaning",
    "probabilities",
    "--data",
    fixture,
  );
  expect(code).toBe(1);
  expect(out).toMatch(/WRONG {2}meaning .* looks like logits/);
  expect(out).toMatch(/^Try: .*--meaning logits/m);
  const json = await faultline("doctor", network("segmentation"), "--task", "segmentation", "--data", fixture, "--json");
  expect(JSON.parse(json.out)).toContainEqual(expect.objectContaining({ subject: "size", verdict: "good" }));
});
