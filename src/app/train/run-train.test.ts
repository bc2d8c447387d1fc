import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { specialize } from "../../engine/compile/specialize.js";
import { Graph } from "../../engine/graph/graph.js";
import { parseModel } from "../../engine/onnx/read.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { parseSafetensors, writeSafetensors } from "../../engine/tensor/safetensors.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { predictorOf } from "../../vision/spec/model-predictor.js";
import { parseModelSpec } from "../../vision/spec/model-spec.js";
import { RunDirectory } from "../runs/run-directory.js";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.js";
import { parseTrainConfig } from "./config.js";
import { runTraining, type TrainPlan, type TrainRecord } from "./run-train.js";

let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await createEngine();
  folder = mkdtempSync(join(tmpdir(), "faultline-train-"));
});
afterAll(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true });
});

const tiny = {
  family: "nafnet",
  activation: "simple-gate",
  attention: "simplified-channel",
  width: 4,
  encoderBlocks: [1],
  middleBlocks: 1,
  decoderBlocks: [1],
};
const base = {
  task: "restoration",
  network: tiny,
  data: { kind: "synthetic", size: 32, length: 8, seed: 1 },
  crop: [24, 24],
  flips: ["horizontal", "vertical"],
  batch: 2,
  steps: 7,
  record: 2,
  checkpoint: 100,
  loss: "l1",
  optimizer: { name: "adamw", learningRate: 0.003 },
  schedule: { kind: "cosine" },
};

function planOf(config: object): TrainPlan {
  return {
    command: "train",
    version: "test",
    config: parseTrainConfig(config, "config.json"),
    runtime: { provider: "cpu", runtime: "", threads: 1, optimization: "all" },
  };
}

/** Trains in a directory of that name; stops after the given step. */
async function train(name: string, config: object, stopAfter = Number.POSITIVE_INFINITY) {
  const plan = planOf(config);
  const path = join(folder, name);
  const run = RunDirectory.open<TrainRecord>(path, plan);
  const stop = new AbortController();
  try {
    const end = await runTraining(engine, plan, run, {
      signal: stop.signal,
      onProgress: (step) => step >= stopAfter && stop.abort(),
    });
    return { end: end === "stopped" ? end : "finished", path, records: [...run.records] };
  } finally {
    run.close();
  }
}

/** The checkpoint of a run of that configuration after some steps. */
async function rewound(config: object, steps: number) {
  const { path } = await train(`rewound${steps}`, config, steps);
  return { checkpoint: decodeCheckpoint(readFileSync(join(path, "checkpoint.safetensors")), "") };
}

describe("a training run", () => {
  it("has the same bits when it is interrupted and resumed", async () => {
    const config = {
      ...base,
      optimizer: { ...base.optimizer, groups: [{ of: "vectors", weightDecay: 0 }] },
      average: 0.9,
      adversary: { attack: "pgd", steps: 2, epsilon: "8/255" },
      evaluation: { data: { kind: "synthetic", size: 24, length: 3, seed: 2 }, every: 4 },
    };
    const whole = await train("whole", config);
    expect(whole.end).toBe("finished");
    for (const stopAfter of [3, 4]) {
      const broken = await train(`broken${stopAfter}`, config, stopAfter);
      expect(broken.end).toBe("stopped");
      expect((await train(`broken${stopAfter}`, config)).end).toBe("finished");
      for (const file of [
        "model.safetensors",
        "model.onnx",
        "records.jsonl",
        "summary.json",
        "card.md",
        "checkpoint.safetensors",
      ])
        expect(readFileSync(join(broken.path, file)).equals(readFileSync(join(whole.path, file))), file).toBe(true);
    }
    expect(whole.records.map((r) => r.index)).toEqual([2, 4, 6, 7]);
    expect(whole.records.filter((r) => r.evaluation).map((r) => r.index)).toEqual([4, 7]);
  });

  it("stops when nothing improves, keeps the best network, and does so when resumed too", async () => {
    const config = {
      ...base,
      steps: 40,
      checkpoint: 3,
      // So high a rate that the network gets worse before it gets better.
      optimizer: { name: "sgd", learningRate: 0.5, groups: [{ of: ["middle_blks.*"], learningRate: 0 }] },
      evaluation: { data: { kind: "synthetic", size: 24, length: 3, seed: 2 }, every: 1, best: { patience: 3 } },
    };
    const whole = await train("early", config);
    const values = whole.records.map((r) => r.evaluation!.PSNR!);
    const best = values.indexOf(Math.max(...values));
    expect(values.length).toBe(best + 1 + 3);
    expect(values.length).toBeLessThan(40);
    const read = (name: string, path = whole.path) => readFileSync(join(path, name));
    expect(JSON.parse(read("summary.json").toString())).toMatchObject({
      steps: values.length,
      best: { metric: "PSNR", step: best + 1 },
      evaluation: { PSNR: values[best] },
    });
    expect(read("card.md").toString()).toMatch(/\| PSNR \| \d+\.\d{4} \| \d+\.\d{4} \|/);
    expect(read("card.md").toString()).toMatch(/training stopped after 3 evaluations without a better one/);
    const weights = parseSafetensors(read("model.safetensors")).tensors;
    expect(weights).toEqual(parseSafetensors(read("best.safetensors")).tensors);
    const reached = decodeCheckpoint(read("checkpoint.safetensors"), "").state.network;
    expect(weights.get("intro.weight")).not.toEqual(reached.get("intro.weight"));
    // A rate of 0 freezes.
    expect(weights.get("middle_blks.0.conv1.weight")).toEqual(reached.get("middle_blks.0.conv1.weight"));

    // Interrupted, and interrupted so that the records are ahead of the checkpoint.
    await train("early-broken", config, best + 2);
    const older = encodeCheckpoint((await rewound(config, 1)).checkpoint);
    writeFileSync(join(folder, "early-broken", "checkpoint.safetensors"), older);
    const resumed = await train("early-broken", config);
    expect((await train("early-broken", config)).end).toBe("finished");
    for (const file of ["model.safetensors", "records.jsonl", "summary.json", "card.md", "checkpoint.safetensors", "loss.svg"])
      expect(read(file, resumed.path).equals(read(file)), file).toBe(true);
  });

  it("writes a network that ONNX Runtime runs", async () => {
    const { path } = await train("written", { ...base, steps: 2 });
    const model = parseModel(readFileSync(join(path, "model.onnx")));
    const program = await engine.compile(model);
    const { output } = await program.run({ image: tensor("float32", [1, 3, 24, 24]) });
    expect(output!.shape).toEqual([1, 3, 24, 24]);
    program.dispose();
    expect(readFileSync(join(path, "card.md"), "utf8")).toContain("not adversarial");
  });

  it("says so where its checkpoint is damaged", async () => {
    const { path } = await train("damaged", { ...base, steps: 2 });
    const file = join(path, "checkpoint.safetensors");
    writeFileSync(file, readFileSync(file).subarray(0, 500));
    await expect(train("damaged", { ...base, steps: 2 })).rejects.toThrow(
      /checkpoint.safetensors is damaged \(.*\); remove it to begin anew\.$/,
    );
    rmSync(file);
    expect((await train("damaged", { ...base, steps: 2 })).end).toBe("finished");
  });

  it("trains a network of one channel on the pictures' luma, and the model says that it is gray", async () => {
    const evaluation = { data: { kind: "synthetic", size: 24, length: 3, seed: 2 } };
    const { path, records } = await train("gray", { ...base, steps: 2, network: { ...tiny, imageChannels: 1 }, evaluation });
    expect(records.at(-1)!.evaluation!.PSNR).toBeGreaterThan(5);
    expect(readFileSync(join(path, "card.md"), "utf8")).toContain("float32 [N, 1, H, W], gray (luma) in [0, 1]");
    const spec = parseModelSpec(JSON.parse(readFileSync(join(path, "model.spec.json"), "utf8")));
    const file = parseModel(readFileSync(join(path, "model.onnx")));
    const model = await specialize(file, {}, (constants) => runModel(constants, {}));
    const { images, predict } = predictorOf(model, spec, { batch: 1, height: 24, width: 24 });
    const graph = new Graph();
    const image = graph.input("image", "float32", images.image!);
    expect([image.shape, predict(graph, { image }).shape]).toEqual([
      [1, 3, 24, 24],
      [1, 3, 24, 24],
    ]);
  });

  it("is refused in a directory that holds another one", async () => {
    await train("taken", { ...base, steps: 2 });
    await expect(train("taken", { ...base, steps: 3 })).rejects.toThrow(/holds a run with other settings/);
  });

  for (const [task, network, more] of [
    ["segmentation", { family: "unet", width: 4, levels: 1, outputChannels: 9, normalization: "batch", output: "plain" }, {}],
    ["classification", { family: "resnet", block: "basic", blocks: [1, 1], width: 4, stem: "cifar", classes: 8 }, { flips: [] }],
    ["flow", { family: "flow", width: 4, levels: 2, radius: 1 }, {}],
    ["disparity", { family: "stereo", width: 4, disparities: 8 }, { flips: ["vertical"] }],
    ["depth", { family: "unet", width: 4, levels: 1, outputChannels: 1, normalization: "batch", output: "plain" }, {}],
  ] as const) {
    it(`trains for ${task}, against an attack, with evaluation`, async () => {
      const { records } = await train(task, {
        ...base,
        ...more,
        task,
        network,
        loss: undefined,
        steps: 3,
        pieces: 2,
        adversary: { attack: "cospgd", steps: 2, epsilon: 0.03 },
        evaluation: { data: { kind: "synthetic", size: 24, length: 3, seed: 2 } },
      });
      expect(records.at(-1)!.loss).toBeGreaterThan(0);
      expect(Object.keys(records.at(-1)!.evaluation!).length).toBeGreaterThan(0);
    });
  }
});

describe("a configuration", () => {
  const sentence = (change: object) => {
    try {
      parseTrainConfig({ ...base, ...change }, "c.json");
      return "no error";
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("names the field that is wrong", () => {
    expect(sentence({ steps: 0 })).toMatch(/^c.json is not valid: steps: .*\.$/);
    expect(sentence({ stepz: 3 })).toContain("stepz");
    expect(sentence({ network: "nafnet" })).toMatch(/network: must be one of baseline-gopro-w32, .*not "nafnet"\./);
    expect(sentence({ network: { ...tiny, attention: "none" } })).toContain("network.attention");
    expect(sentence({ optimizer: { name: "adamw", learningRate: -1 } })).toContain("optimizer.learningRate");
    const grouped = (group: object) => ({ optimizer: { ...base.optimizer, groups: [group] } });
    expect(sentence(grouped({ of: "vectors" }))).toContain(
      "groups.0: must be an object with of, and learningRate or weightDecay",
    );
    expect(sentence(grouped({ of: "biases", weightDecay: 0 }))).toContain('groups.0.of: must be "vectors" or a list of names');
    expect(sentence({ adversary: { attack: "apgd", epsilon: 0.1 } })).toBe("no error");
    expect(sentence({ adversary: { attack: "ensembel" } })).toMatch(
      /adversary\.attack: must be one of fgsm, bim, .*, not "ensembel"/,
    );
    expect(sentence({ adversary: { attack: "fgsm", epsilon: 0.1, steps: 5 } })).toContain(
      'adversary: there is no field "steps"; fields are attack, share, trades, norm, epsilon, grid',
    );
    for (const epsilon of ["eight", "8/", "8/0", 0])
      expect(sentence({ adversary: { attack: "fgsm", epsilon } })).toContain(
        "adversary.epsilon: must be a radius above 0, such as 8/255",
      );
  });

  it("is refused in one sentence where its parts do not fit", async () => {
    await expect(train("x1", { ...base, loss: "cross-entropy" })).rejects.toThrow(/no loss "cross-entropy"; it has l1/);
    await expect(train("x2", { ...base, task: "segmentation", loss: undefined, network: "resnet18" })).rejects.toThrow(
      /segmentation needs a prediction/,
    );
    await expect(train("x3", { ...base, crop: [64, 64] })).rejects.toThrow(/too small to crop 64x64/);
    const evaluation = { data: { kind: "synthetic", size: 24, length: 3, seed: 2 } };
    await expect(train("x4", { ...base, evaluation: { ...evaluation, crop: [32, 32] } })).rejects.toThrow(
      /too small to crop 32x32/,
    );
    await expect(train("x5", { ...base, evaluation: { ...evaluation, best: { metric: "psnr" } } })).rejects.toThrow(
      /no metric "psnr" here; choose one of PSNR, SSIM/,
    );
    const disparity = {
      ...base,
      task: "disparity",
      network: { family: "stereo", width: 4, disparities: 8 },
      loss: undefined,
      flips: [],
    };
    await expect(train("x8", { ...disparity, evaluation: { ...evaluation, crop: [22, 24] } })).rejects.toThrow(
      /evaluation.crop: this network takes sides that are multiples of 4, and 22 is none/,
    );
    await expect(train("x9", { ...disparity, data: { ...base.data, subframes: 9 } })).rejects.toThrow(
      /subframes and averaging make the exposures of restoration; disparity has none/,
    );
    const groups = [{ of: ["encoder.*"], weightDecay: 0 }];
    await expect(train("x6", { ...base, optimizer: { ...base.optimizer, groups } })).rejects.toThrow(/called "encoder\.\*"/);
    const start = join(folder, "other.safetensors");
    writeFileSync(start, writeSafetensors(new Map([["intro.weight", tensor("float32", [1])]])));
    await expect(train("x7", { ...base, start })).rejects.toThrow(
      /other.safetensors does not fit the network. Parameter "intro.weight" has shape \[1\].*\(\d+ more of this kind.\)/,
    );
  });
});
