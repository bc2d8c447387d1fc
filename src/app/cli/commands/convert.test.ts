import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { parseModel } from "../../../engine/onnx/read.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { loadCheckpoint, saveCheckpoint } from "../../../vision/nn/checkpoints/files.js";
import { initialState } from "../../../vision/nn/model.js";
import { findNetwork, type NetworkConfiguration } from "../../../vision/nn/networks/index.js";
import { main } from "../main.js";

const configuration: NetworkConfiguration = {
  family: "nafnet",
  activation: "simple-gate",
  attention: "simplified-channel",
  width: 4,
  encoderBlocks: [1],
  middleBlocks: 1,
  decoderBlocks: [1],
};
const inputs = { image: [1, 3, 16, 16] };

let folder: string;
let errors: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "faultline-convert-"));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    errors += String(text);
    return true;
  });
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const run = (...args: string[]) => {
  errors = "";
  return main(["convert", ...args]);
};

it("recognizes the network and writes model and specification", async () => {
  await saveCheckpoint(at("a.pth"), initialState(findNetwork(configuration).network, inputs, 0), { key: "params" });
  expect(await run(at("a.pth"), "--size", "16x24", "-o", at("a.onnx"))).toBe(0);
  const { graph } = parseModel(readFileSync(at("a.onnx")));
  expect(graph.inputs.map((i) => i.shape)).toEqual([[1, 3, 16, 24]]);
  expect(JSON.parse(readFileSync(at("a.spec.json"), "utf8"))).toMatchObject({
    task: "restoration",
    size: { rule: "fixed", height: 16, width: 24 },
    range: "0..1",
    output: { meaning: "picture", range: "0..1" },
  });
});

it("has a sentence for every parameter that does not fit, and writes nothing", async () => {
  const state = initialState(findNetwork(configuration).network, inputs, 0);
  state.delete("intro.weight");
  state.delete("ending.bias");
  state.set("strange", { type: "float32", shape: [1], data: Float32Array.of(0) });
  await saveCheckpoint(at("b.safetensors"), state);
  writeFileSync(at("wide.json"), JSON.stringify({ ...configuration, middleBlocks: 2 }));
  expect(await run(at("b.safetensors"), "--size", "16x16", "--config", at("wide.json"), "-o", at("b.onnx"))).toBe(1);
  expect(errors).toContain('"intro.weight" of shape [4, 3, 3, 3] is missing');
  expect(errors).toContain('"ending.bias" of shape [3] is missing');
  expect(errors).toContain('"strange" is in the checkpoint, but the network has none');
  expect(errors).toContain('"middle_blks.1.conv1.weight"');
  expect(errors).toContain("sentences above); nothing was written");
  expect(existsSync(at("b.onnx"))).toBe(false);
});

it("drops a wrapper's prefix, takes half precision, and says what a broken file is most like", async () => {
  const state = initialState(findNetwork(configuration).network, inputs, 0);
  const wrapped = new Map([...state].map(([name, t]) => [`module.${name}`, tensor("float16", t.shape, t.data)]));
  await saveCheckpoint(at("half.pth"), wrapped, { key: "state_dict" });
  expect(await run(at("half.pth"), "--size", "16x16", "-o", at("half.onnx"))).toBe(0);
  expect(errors).toBe('every name begins with "module.", which is dropped\n');
  const { initializers } = parseModel(readFileSync(at("half.onnx"))).graph;
  expect([...initializers.values()].every((t) => t.type !== "float16")).toBe(true);

  const resnet = initialState(findNetwork("resnet8-cifar").network, { image: [1, 3, 32, 32] }, 0);
  resnet.delete("conv1.weight");
  await saveCheckpoint(at("headless.pth"), resnet);
  await run(at("headless.pth"), "--size", "32x32", "-o", at("d.onnx"));
  expect(errors).toMatch(/has \d+ of the \d+ tensors of resnet8-cifar; add --network resnet8-cifar/);
  await run(at("headless.pth"), "--size", "32x32", "--network", "resnet8-cifar", "-o", at("d.onnx"));
  expect(errors).toContain('"conv1.weight" of shape [16, 3, 3, 3] is missing');
  await run(at("headless.pth"), "--size", "32x32", "--network", "nafnet-gopro-w32", "-o", at("d.onnx"));
  expect(errors).toContain("nothing was written. It is most like resnet8-cifar.");
});

it("writes the same parameters in the other format, which PyTorch's reader understands", async () => {
  const state = initialState(findNetwork(configuration).network, inputs, 0);
  await saveCheckpoint(at("e.pth"), state, { key: "params" });
  expect(await run(at("e.pth"), "-o", at("e.safetensors"))).toBe(0);
  expect(await run(at("e.safetensors"), "-o", at("f.pth"))).toBe(0);
  expect(await loadCheckpoint(at("f.pth"))).toEqual(state);
  for (const [args, sentence] of [
    [["-o", at("g.onnx")], "say which with --size"],
    [["-o", at("g.bin")], "the name ends in .onnx for a model"],
    [["-o", at("g.pth"), "--size", "16x16"], "a checkpoint has none of them"],
    [["-o", at("g.pth"), "--batch", "2"], "a checkpoint has none of them"],
  ] as const) {
    expect(await run(at("e.pth"), ...args)).toBe(1);
    expect(errors).toContain(sentence);
  }
});

it("names what is wrong with a configuration or a size", async () => {
  writeFileSync(at("bad.json"), JSON.stringify({ ...configuration, activation: "tanh" }));
  await run(at("a.pth"), "--size", "16x16", "--config", at("bad.json"), "-o", at("c.onnx"));
  expect(errors).toContain("bad.json is not valid: activation");
  await run(at("a.pth"), "--size", "16x16", "--network", "nafnet-gopro-w16", "-o", at("c.onnx"));
  expect(errors).toContain('There is no network "nafnet-gopro-w16"; choose one of');
  await run(at("missing.pth"), "--size", "16x16", "-o", at("c.onnx"));
  expect(errors).toContain("no such file");
});
