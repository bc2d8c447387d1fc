import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients } from "../../../engine/autodiff/gradients.js";
import { Graph } from "../../../engine/graph/graph.js";
import { abs, reduceMean, sub } from "../../../engine/operators/index.js";
import { parseSafetensors } from "../../../engine/tensor/safetensors.js";
import { type Tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../../engine/testing/run-model.js";
import { cropTo, padToMultiple, spatial } from "../layers/padding.js";
import { type Network, networkModel } from "../model.js";
import type { DownsamplingName, UpsamplingName } from "../resampling/index.js";
import { asInputs, Parameters } from "../scope.js";
import { findNetwork, type NetworkConfiguration, recognizeConfiguration, resamplingOf, sameParameters } from "./index.js";
import type { NafnetConfiguration } from "./nafnet.js";
import type { FourLevels, RestormerConfiguration } from "./restormer.js";

// PyTorch's numbers (float64, rounded); the whole set where it is present, the part in fixtures/ otherwise.
const whole = new URL("../../../../../shared/golden/systems/networks/", import.meta.url);
const root = existsSync(whole) ? whole : new URL("../../../../fixtures/golden/networks/", import.meta.url);

interface Entry {
  readonly file: string;
  readonly case: string;
  readonly kind?: string;
  readonly architecture?: string;
  readonly hyper_parameters?: Record<string, unknown>;
  readonly train_size?: readonly [number, number, number, number];
}
const files = (JSON.parse(readFileSync(new URL("manifest.json", root), "utf8")) as { files: Entry[] }).files.filter((f) =>
  existsSync(new URL(f.file, root)),
);
const load = (file: string): Map<string, Tensor> => parseSafetensors(readFileSync(new URL(file, root))).tensors;

/** The largest difference, relative to the largest magnitude of the reference. */
function difference(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  return Math.max(...a.map((v, i) => Math.abs(v - e[i]!))) / Math.max(...e.map(Math.abs), 1e-30);
}

function configurationOf({ architecture, hyper_parameters }: Entry): NafnetConfiguration | RestormerConfiguration {
  const h = hyper_parameters as Record<string, number & readonly number[]>;
  if (architecture!.startsWith("Restormer"))
    return {
      ...resamplingBy(hyper_parameters!),
      family: "restormer",
      width: h.dim!,
      blocks: h.num_blocks as unknown as FourLevels,
      refinementBlocks: h.num_refinement_blocks!,
      heads: h.heads as unknown as FourLevels,
      feedForwardExpansion: h.ffn_expansion_factor!,
      normalization: (h.LayerNorm_type as unknown) === "WithBias" ? "with-bias" : "bias-free",
      bias: hyper_parameters!.bias === true ? "learned" : "none",
    };
  return {
    family: "nafnet",
    activation: architecture === "Baseline" ? "gelu" : "simple-gate",
    attention: architecture === "Baseline" ? "channel" : "simplified-channel",
    width: h.width!,
    encoderBlocks: h.enc_blk_nums!,
    middleBlocks: h.middle_blk_num!,
    decoderBlocks: h.dec_blk_nums!,
    depthwiseExpansion: h.dw_expand!,
  };
}

/** BOA-Restormers say a convention, Restormers with large transposed convolutions say kernels. */
function resamplingBy(h: Record<string, unknown>): Pick<RestormerConfiguration, "down" | "up"> {
  const { convention, pooling_padding: padding, kernel_size: kernel, para_kernel_size: parallel } = h;
  if (kernel !== undefined) return { up: `lctc-${kernel}${parallel ? `+${parallel}` : ""}` as UpsamplingName };
  if (convention === undefined) return {};
  const down = `boa${convention === "corrected-aligned" ? "" : `-${convention}`}${padding === "reflect" ? "-reflect" : ""}`;
  return { down: down as DownsamplingName, up: convention === "as-published" ? "freq-avg-as-published" : "freq-avg" };
}

/** The network with the padding that the published tests put around it. */
function networkOf(configuration: NetworkConfiguration): Network {
  const { network, multipleOf } = findNetwork(configuration);
  return (p, x) => cropTo(network(p, padToMultiple(x!, multipleOf, "reflect")), spatial(x!));
}

// Conventions of one network share a file of weights; a case's name then ends in its convention.
const cases = files
  .filter((f) => ["NAFNet", "Baseline", "Restormer"].includes(f.architecture?.split(" ")[0] ?? ""))
  .flatMap((entry) => {
    const convention = entry.hyper_parameters?.convention;
    if (convention === undefined) return [entry];
    const network = entry.case.slice(0, -`_${convention}`.length);
    const others = new Set(files.map((f) => f.case).filter((name) => name.startsWith(`${network}_`)));
    return [...others].map((name) => ({
      ...entry,
      case: name,
      hyper_parameters: { ...entry.hyper_parameters, convention: name.slice(network.length + 1) },
    }));
  });

describe.each(cases.map((c) => [c.case, c] as const))("%s", (name, entry) => {
  const weights = load(entry.file);
  const configuration = configurationOf(entry);
  // The gradients of α are small differences of large sums: PyTorch's own in float32 are as far off as 1.3e-4 there.
  const tolerance = entry.hyper_parameters?.convention === undefined ? 1e-4 : 5e-4;
  const runs = files.filter((f) => f.case === name && f.kind === "forward+gradients").map((f) => f.file);

  test.each(runs.flatMap((file) => checkedLevels.map((level) => [file, level] as const)))(
    "%s: output, loss and all gradients, optimization %s",
    async (file, level) => {
      const expected = load(file);
      const graph = new Graph();
      const x = graph.input("input", "float32", expected.get("input")!.shape);
      const target = graph.input("target", "float32", expected.get("target")!.shape);
      const parameters = new Parameters(graph, asInputs);
      const y = networkOf(configuration)(parameters.scope, x);
      const loss = reduceMean(abs(sub(y, target)));
      const wrt = [x, ...parameters.values.values()];
      graph.output("output", y);
      gradients(loss, wrt).forEach((g, i) => {
        graph.output(i === 0 ? "grad.input" : `grad.param.${wrt[i]!.name}`, g);
      });
      const feeds = { ...Object.fromEntries(weights), input: expected.get("input")!, target: expected.get("target")! };
      const results = await runModel(graph, feeds, level);
      const compared = [...expected.keys()].filter((key) => key === "output" || key.startsWith("grad."));
      expect(compared.length).toBeGreaterThan(1);
      expect([...parameters.declarations.keys()].sort()).toEqual([...weights.keys()].sort());
      const wrong = compared
        .map((key) => [key, difference(results[key]!, expected.get(key)!)] as const)
        .filter(([, d]) => !(d < tolerance));
      expect(wrong).toEqual([]);
    },
  );

  test("is recognized from names and shapes, up to what leaves no trace in them", () => {
    const recognized = recognizeConfiguration(weights);
    const own = resamplingOf(configuration);
    const { down, up } = resamplingOf(recognized);
    const alike = sameParameters(recognized);
    expect([down, ...alike.down]).toContain(own.down);
    expect([up, ...alike.up]).toContain(own.up);
    const { down: _, up: __, ...rest } = configuration;
    expect(recognized).toMatchObject(rest);
  });

  const local = files.find((f) => f.case === name && f.train_size !== undefined);
  test.runIf(local)("local pooling at test time", async () => {
    const expected = load(local!.file);
    const [, , height, width] = local!.train_size!;
    const localized = { ...configuration, pooling: { kind: "local", trainingSize: [height, width] } } as NafnetConfiguration;
    for (const [input, output, network] of [
      ["input", "output_local", networkOf(localized)],
      ["input", "output_global", networkOf(configuration)],
      ["input_small", "output_small", networkOf(localized)],
    ] as const) {
      const image = expected.get(input)!;
      const results = await runModel(networkModel(network, weights, { image: image.shape }), { image });
      expect(difference(results.output!, expected.get(output)!)).toBeLessThan(1e-4);
    }
  });
});
