import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { main } from "../main.js";

let folder: string;
let errors: string;
let results: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "faultline-train-command-"));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    errors += String(text);
    return true;
  });
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    results += String(text);
    return true;
  });
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const config = {
  task: "restoration",
  network: { family: "unet", width: 4, levels: 1, outputChannels: 3, normalization: "none", output: "residual" },
  data: { kind: "synthetic", size: 24, length: 4, seed: 1 },
  batch: 2,
  steps: 6,
  record: 2,
  optimizer: { name: "sgd", learningRate: 1e-9, groups: [{ of: "vectors", learningRate: 0 }] },
  evaluation: { data: { kind: "synthetic", size: 24, length: 2, seed: 2 }, every: 1, best: { patience: 2, improvement: 1 } },
};

async function run(change: object = {}): Promise<number> {
  [errors, results] = ["", ""];
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify({ ...config, ...change }));
  return main(["train", path, "--out", join(folder, "run")]);
}

it("leaves no directory behind where nothing was trained", async () => {
  expect(await run({ crop: [48, 48] })).toBe(1);
  expect(errors).toContain("too small to crop 48x48");
  expect(await run({ start: "missing.pth" })).toBe(1);
  expect(existsSync(join(folder, "run"))).toBe(false);
});

it("says where it stopped, what it reached and where that is", async () => {
  expect(await run()).toBe(0);
  expect(errors).toContain("stopped after 3 of 6 steps: PSNR was best at step 1");
  expect(results).toMatch(
    /^loss 0\.\d+, PSNR \d+\.\d+, SSIM .*\ndegraded, as they are: PSNR \d+\.\d+, SSIM .*\n.*model\.onnx\n.*card\.md\n$/,
  );
  const files = readdirSync(join(folder, "run"));
  expect(files).toContain("network.json");
  expect(files).not.toContain("images");
  const before = results;
  expect(await run()).toBe(0);
  expect(errors).toContain(`run is finished, 3 steps: what follows is its result. To train on from there, say "start": "`);
  expect(errors).not.toContain("resuming");
  expect(results).toBe(before);
  expect(await run({ steps: 7 })).toBe(1);
  expect(errors).toContain("holds a run with other settings (steps is 6 there and 7 now)");
  expect(existsSync(join(folder, "run", "model.onnx"))).toBe(true);
});

it("says nothing with --quiet, and its summary alone with --json", async () => {
  [errors, results] = ["", ""];
  const path = join(folder, "quiet.json");
  writeFileSync(path, JSON.stringify({ ...config, steps: 2 }));
  expect(await main(["train", path, "--out", join(folder, "quiet"), "--quiet", "--json"])).toBe(0);
  expect(errors).toBe("");
  expect(JSON.parse(results)).toMatchObject({ steps: 2, loss: expect.any(Number) });
});

it("refuses the record of a run in place of a configuration, in one sentence", async () => {
  errors = "";
  const record = join(folder, "quiet", "run.json");
  expect(await main(["train", record])).toBe(1);
  expect(errors).toBe(
    `faultline: ${record} is the record of a run of faultline train (what it trained stands in its field "config"), and the configuration of a training is wanted here; the run itself goes on when its command is repeated.\n`,
  );
});
