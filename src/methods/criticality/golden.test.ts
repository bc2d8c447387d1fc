import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseModel } from "../../engine/onnx/read.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { parseSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { parseModelSpec } from "../../vision/spec/model-spec.js";
import { freshCopies } from "./fresh-copies.js";
import type { LayerKind } from "./layer.js";
import { measureResets, type ProbeBatch, type ResetUnit } from "./measure-resets.js";
import { type Probe, probeOf } from "./probe.js";
import { layerProfile, profileOf, type TrialMeasures, trialMeasures } from "./profile.js";
import { type ResetSource, schemeSource } from "./resets.js";

interface Measured {
  readonly cosine: number;
  readonly l1: number;
  readonly l2: number;
  readonly accuracy: number;
  readonly recovered: number;
}

interface GoldenResults extends Averaged {
  readonly intact_accuracy: number;
  readonly modules: readonly {
    readonly name: string;
    readonly kind: string;
    readonly criticality: number;
    readonly std_over_trials: number;
    readonly trials: readonly Measured[];
    readonly zeroed: Measured;
  }[];
  readonly with_batch_norm: Averaged;
}

interface Averaged {
  readonly model_criticality: number;
  readonly population_std: number;
}

const folder = ["../../../../shared/golden/systems/criticality/", "../../../fixtures/golden/criticality/"]
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(new URL("results.json", url)));
const read = (name: string) => readFileSync(new URL(name, folder));
const tensors = (name: string) => parseSafetensors(read(name)).tensors;
const kinds: Partial<Record<LayerKind, string>> = {
  convolution: "convolution",
  linear: "linear",
  "batch normalization": "batch norm",
};

describe.skipIf(!folder)("criticality against the reference", () => {
  let engine: Engine;
  let probe: Probe;
  let results: GoldenResults;
  let batch: ProbeBatch;

  beforeAll(async () => {
    engine = await createEngine();
    results = JSON.parse(read("results.json").toString());
    const inputs = tensors("inputs.safetensors");
    const images = inputs.get("images")!;
    const [n, , height, width] = images.shape as [number, number, number, number];
    probe = await probeOf(
      parseModel(read("network.onnx")),
      parseModelSpec({ task: "classification" }),
      { batch: n, height, width },
      engine.evaluate,
    );
    batch = {
      images: { image: images },
      weight: tensor("float32", [n], new Float32Array(n).fill(1)),
      labels: tensor("int64", [n], toNumbers(inputs.get("labels")!)),
    };
  });
  afterAll(() => engine.dispose());

  async function measure(source: ResetSource, trials: number): Promise<Map<string, TrialMeasures[]>> {
    const units: ResetUnit[] = probe.layers.flatMap((layer) =>
      Array.from({ length: trials }, (_, trial) => ({ layers: [layer], trial })),
    );
    const found = new Map<string, TrialMeasures[]>();
    let intact = 0;
    for await (const outcome of measureResets({ engine, runs: trials, ...probe }, [batch], units, source)) {
      if (!outcome.unit) {
        intact = outcome.sums.correct! / outcome.count;
        expect(intact).toBeCloseTo(results.intact_accuracy, 12);
        continue;
      }
      const name = outcome.unit.layers[0]!.name;
      found.set(name, [...(found.get(name) ?? []), trialMeasures(outcome.unit.trial, outcome, intact)]);
    }
    return found;
  }

  function compare(found: TrialMeasures, reference: Measured): void {
    expect(1 - found.criticality).toBeCloseTo(reference.cosine, 5);
    expect(found.l1).toBeCloseTo(reference.l1, 5);
    expect(found.l2).toBeCloseTo(reference.l2, 5);
    expect(found.accuracy).toBeCloseTo(reference.accuracy, 12);
    expect(found.recovered).toBeCloseTo(reference.recovered, 12);
  }

  test("layers bear the names and kinds of the modules, in their order", () => {
    expect(probe.layers.map((l) => [l.name, kinds[l.kind]])).toEqual([...results.modules].map((m) => [m.name, m.kind]));
  });

  test("every module and trial of the three fresh copies", async () => {
    const copies = [0, 1, 2].map((t) => ({ name: `copy ${t}`, state: tensors(`replacement_trial_${t}.safetensors`) }));
    const found = await measure(freshCopies(copies), 3);
    const layers = results.modules.map((module) => {
      const trials = found.get(module.name)!;
      module.trials.forEach((reference, t) => compare(trials[t]!, reference));
      const layer = probe.layers.find((l) => l.name === module.name)!;
      const profile = layerProfile({ ...layer, layers: [layer.name] }, trials);
      expect(profile.criticality).toBeCloseTo(module.criticality, 5);
      expect(profile.deviation).toBeCloseTo(module.std_over_trials, 5);
      return profile;
    });
    const { average, averageWithNormalization } = profileOf(layers);
    for (const [found, reference] of [
      [average, results],
      [averageWithNormalization, results.with_batch_norm],
    ] as const) {
      expect(found!.mean).toBeCloseTo(reference.model_criticality, 6);
      expect(found!.deviation).toBeCloseTo(reference.population_std, 6);
    }
  });

  test("zeros", async () => {
    const found = await measure(schemeSource("zeros", 0), 1);
    for (const module of results.modules) compare(found.get(module.name)![0]!, module.zeroed);
  });

  test("a reset to the same values is exactly 0, and nothing was written to the weights", async () => {
    const before = probe.layers.map((l) => l.parameters.map((p) => Array.from(p.trained.data as Float32Array)));
    const found = await measure(
      (layer) => new Map(layer.parameters.map((p) => [p.name, { ...p.trained, data: p.trained.data.slice() } as Tensor])),
      1,
    );
    for (const [trial] of found.values())
      expect(trial).toMatchObject({ criticality: 0, l1: 0, l2: 0, kl: 0, flips: 0, recovered: 1 });
    expect(probe.layers.map((l) => l.parameters.map((p) => Array.from(p.trained.data as Float32Array)))).toEqual(before);
  });
});
