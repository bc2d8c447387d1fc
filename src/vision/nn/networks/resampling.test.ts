import { describe, expect, test } from "vitest";
import { gradients } from "../../../engine/autodiff/gradients.js";
import { Graph } from "../../../engine/graph/graph.js";
import { mul, reduceMean } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { sizeOf, type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { runModel } from "../../../engine/testing/run-model.js";
import { declarations, initialState, predictionShape } from "../model.js";
import { type DownsamplingName, downsamplings, type UpsamplingName, upsamplings } from "../resampling/index.js";
import { asInputs, Parameters } from "../scope.js";
import {
  findNetwork,
  type NetworkConfiguration,
  recognizeConfiguration,
  resampled,
  resamplingOf,
  sameParameters,
} from "./index.js";

const networks: Readonly<Record<string, NetworkConfiguration>> = {
  restormer: {
    family: "restormer",
    width: 8,
    blocks: [1, 1, 1, 1],
    refinementBlocks: 1,
    heads: [1, 1, 2, 2],
    feedForwardExpansion: 2,
    normalization: "bias-free",
  },
  nafnet: {
    family: "nafnet",
    activation: "simple-gate",
    attention: "simplified-channel",
    width: 4,
    encoderBlocks: [1, 1],
    middleBlocks: 1,
    decoderBlocks: [1, 1],
  },
  unet: { family: "unet", width: 4, levels: 2, outputChannels: 3, normalization: "batch", output: "plain" },
  "convnext-unet": {
    family: "convnext-unet",
    depths: [1, 1, 1],
    widths: [4, 8, 16],
    decoderWidths: [8, 8, 4, 4],
    classes: 3,
  },
  resnet: { family: "resnet", block: "bottleneck", blocks: [1, 1], width: 4, stem: "imagenet", classes: 3 },
  segmentation: {
    family: "segmentation",
    backbone: { block: "basic", blocks: [1, 1, 1], width: 4, stem: "imagenet" },
    head: "deeplabv3",
    headWidth: 4,
    classes: 3,
  },
  flow: { family: "flow", width: 4, levels: 2, radius: 1 },
  stereo: { family: "stereo", width: 4, disparities: 16 },
};

const names = { down: Object.keys(downsamplings) as DownsamplingName[], up: Object.keys(upsamplings) as UpsamplingName[] };

function inputsOf({ inputs, multipleOf }: ReturnType<typeof findNetwork>) {
  const side = multipleOf * Math.ceil(64 / multipleOf);
  return Object.fromEntries(inputs.map((name) => [name, [1, 3, side, side]]));
}

describe.each(Object.entries(networks))("%s", (_, plain) => {
  const choices = (["down", "up"] as const).flatMap((field) =>
    names[field].flatMap((name) => {
      const configuration = resampled(plain, { [field]: name });
      return configuration ? [[field, name, configuration] as const] : [];
    }),
  );

  test.each(choices)(
    "%s %s: the prediction's shape stays, and the checkpoint tells as much as it says",
    (field, name, configuration) => {
      expect(resamplingOf(configuration)[field]).toBe(name);
      const named = findNetwork(configuration);
      const inputs = inputsOf(named);
      expect(predictionShape(named.network, inputs)).toEqual(predictionShape(findNetwork(plain).network, inputs));
      const recognized = recognizeConfiguration(declarations(named.network, inputs));
      const alike = sameParameters(recognized);
      expect([resamplingOf(recognized)[field], ...alike[field]]).toContain(name);
    },
  );
});

test.each([
  ["restormer", { down: "boa", up: "freq-avg" }, { down: "boa-as-published", up: "freq-avg-as-published" }],
  ["nafnet", { down: "boa", up: "freq-avg" }, { down: "boa-as-published-v2", up: "freq-avg" }],
] as const)("%s: of conventions with the same names, that of its own released code is taken", (family, choices, expected) => {
  const { network, inputs } = findNetwork(resampled(networks[family]!, choices)!);
  const state = declarations(network, Object.fromEntries(inputs.map((name) => [name, [1, 3, 64, 64]])));
  expect(resamplingOf(recognizeConfiguration(state))).toEqual(expected);
});

/** Mean of prediction · weights, its gradient along one direction by finite differences and by the graph. */
async function slopes(configuration: NetworkConfiguration) {
  const { network, inputs: roles } = findNetwork(configuration);
  const inputs = Object.fromEntries(roles.map((role) => [role, [1, 3, 32, 32]]));
  const graph = new Graph();
  const images = Object.entries(inputs).map(([name, shape]) => graph.input(name, "float32", shape));
  const parameters = new Parameters(graph, asInputs);
  const y = network(parameters.scope, ...images);
  const random = new Random("slopes");
  const draw = (shape: readonly number[], scale: number) =>
    tensor(
      "float32",
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => scale * random.normal(0, 1)),
    );
  const loss = reduceMean(mul(y, graph.constant(draw(y.shape, 30))));
  const trained = [...parameters.trainable];
  graph.output("loss", loss);
  gradients(loss, [...images, ...trained.map(([, v]) => v)]).forEach((g, i) => {
    graph.output(`g${i}`, g);
  });
  const model = graph.build();
  const state = initialState(network, inputs, 3);
  const at: Record<string, Tensor> = { ...Object.fromEntries(state) };
  for (const [role, shape] of Object.entries(inputs)) at[role] = draw(shape, 0.3);
  const moved = [...Object.keys(inputs), ...trained.map(([name]) => name)];
  const direction = new Map(moved.map((name) => [name, draw(at[name]!.shape, 1)]));
  const results = await runModel(model, at);
  const exact = moved.reduce((sum, name, i) => {
    const [g, d] = [toNumbers(results[`g${i}`]!), direction.get(name)!.data];
    return sum + g.reduce((s, v, k) => s + v * (d[k] as number), 0);
  }, 0);
  const lossAt = async (step: number) => {
    const shifted = moved.map((name) => {
      const d = direction.get(name)!.data;
      return [
        name,
        tensor(
          "float32",
          at[name]!.shape,
          toNumbers(at[name]!).map((v, k) => v + step * (d[k] as number)),
        ),
      ];
    });
    return toNumbers((await runModel(model, { ...at, ...Object.fromEntries(shifted) })).loss!)[0]!;
  };
  const h = 5e-5;
  return { exact, numeric: ((await lossAt(h)) - (await lossAt(-h))) / (2 * h) };
}

test.each<[string, "down" | "up", string]>([
  ["restormer", "down", "boa"],
  ["restormer", "down", "boa-as-published"],
  ["restormer", "up", "freq-avg"],
  ["nafnet", "down", "boa"],
  ["nafnet", "up", "split-up"],
  ["nafnet", "up", "lctc-11+3"],
  ["convnext-unet", "up", "lctc-7+3"],
  ["convnext-unet", "down", "asap"],
  ["stereo", "up", "lctc-9+3"],
  ["flow", "down", "flc"],
])("the gradient of %s with %s %s is that of finite differences", async (network, field, name) => {
  const { exact, numeric } = await slopes(resampled(networks[network]!, { [field]: name })!);
  expect(Math.abs(exact - numeric)).toBeLessThan(0.03 * Math.max(Math.abs(exact), 0.05));
});

test("a kernel of the decoder's blocks is a choice apart from the transposed ones", () => {
  const wide = { ...networks["convnext-unet"]!, decoderKernel: 7 } as NetworkConfiguration;
  const { network } = findNetwork(wide);
  const declared = declarations(network, { image: [1, 3, 32, 32] });
  expect(declared.get("decoder.blocks.0.conv1.conv.weight")!.shape.slice(2)).toEqual([7, 7]);
  expect(declared.get("decoder.blocks.0.conv_t.weight")!.shape.slice(2)).toEqual([2, 2]);
  expect(recognizeConfiguration(declared)).toMatchObject(wide);
});

test("published names of parameters", () => {
  const namesOf = (network: string, choice: { down?: DownsamplingName; up?: UpsamplingName }) => {
    const named = findNetwork(resampled(networks[network]!, choice)!);
    return [...declarations(named.network, inputsOf(named)).keys()].filter((n) => /down|up/.test(n)).slice(0, 40);
  };
  expect(namesOf("restormer", { down: "boa", up: "freq-avg" })).toEqual([
    ...["down1_2", "down2_3", "down3_4"].flatMap((n) => [`${n}.body.0.weight`, `${n}.body.1.alpha`]),
    ...["up4_3", "up3_2", "up2_1"].flatMap((n) => [`${n}.body.weight`, `${n}.beta`]),
  ]);
  expect(namesOf("restormer", { up: "lctc-7+3" }).filter((n) => n.startsWith("up4_3"))).toEqual([
    "up4_3.body.weight",
    "up4_3.body.bias",
    "up4_3.para.weight",
    "up4_3.para.bias",
  ]);
  expect(namesOf("nafnet", { down: "boa", up: "lctc-11+3" })).toEqual([
    "downs.0.alpha",
    "downs.1.alpha",
    "ups.0.large_path.weight",
    "ups.0.small_path.weight",
    "ups.1.large_path.weight",
    "ups.1.small_path.weight",
  ]);
  expect(namesOf("nafnet", { up: "freq-avg" }).filter((n) => n.startsWith("ups.0"))).toEqual(["ups.0.body.weight", "ups.0.beta"]);
});

test.each<[string, () => unknown, RegExp]>([
  [
    "an unknown name",
    () => tensorsAt({ ...networks.resnet!, down: "flck" } as never, 64),
    /There is no down "flck"; choose one of strided, max-pool/,
  ],
  ["odd sides", () => tensorsAt(resampled(networks.unet!, { down: "boa" })!, 30), /boaDown: .*even sides/],
  [
    "an even kernel",
    () => tensorsAt({ ...networks.nafnet!, decoderKernel: 4 } as never, 32),
    /nafnet cannot be built: decoderKernel 4 must be odd/,
  ],
])("a choice that cannot be is refused: %s", (_, build, sentence) => {
  expect(build).toThrow(sentence);
});

function tensorsAt(configuration: NetworkConfiguration, side: number) {
  return declarations(findNetwork(configuration).network, { image: [1, 3, side, side] });
}
