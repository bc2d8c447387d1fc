import type { Value } from "../../../engine/graph/graph.js";
import type { TaskName } from "../../tasks/names.js";
import { roundUp } from "../layers/padding.js";
import { declarations, type Network } from "../model.js";
import { type DownsamplingName, multipleFor, type UpsamplingName } from "../resampling/index.js";
import { type Declaration, ParameterError, type Scope } from "../scope.js";
import { type ConvnextUnetConfiguration, convnextUnet, convnextUnetMultiple } from "./convnext-unet.js";
import { type FlowConfiguration, flow, flowMultiple } from "./flow.js";
import { type NafnetConfiguration, nafnet } from "./nafnet.js";
import { publishedNetworks } from "./published.js";
import { type ResnetConfiguration, resnet, resnetMultiple } from "./resnet.js";
import { type RestormerConfiguration, restormer, restormerMultiple } from "./restormer.js";
import { type SegmentationConfiguration, segmentationNetwork } from "./segmentation.js";
import { type StereoConfiguration, stereo } from "./stereo.js";
import { type UnetConfiguration, unet } from "./unet.js";

/** Everything that says which network is meant; plain data, for run files and command lines. */
export type NetworkConfiguration =
  | NafnetConfiguration
  | RestormerConfiguration
  | UnetConfiguration
  | ConvnextUnetConfiguration
  | ResnetConfiguration
  | SegmentationConfiguration
  | FlowConfiguration
  | StereoConfiguration;

interface Family<C> {
  /** What its predictions are, where that follows from the network alone: a U-Net may segment or restore. */
  readonly task?: TaskName;
  /** Names of the images it takes. */
  readonly inputs: readonly string[];
  readonly apply: (p: Scope, inputs: readonly Value[], configuration: C) => Value;
  /** Sides of the images must be multiples of this. */
  readonly multipleOf: (configuration: C) => number;
  /** How it halves and doubles resolutions, as far as that is for its configuration to say. */
  readonly down?: Choice<C, DownsamplingName>;
  readonly up?: Choice<C, UpsamplingName>;
}

/** A choice within a configuration: which it is, and the same configuration with another. */
interface Choice<C, Name> {
  /** What this family's released code means where names and shapes of the parameters leave several; default the first in the table. */
  readonly released?: Name | undefined;
  readonly of: (configuration: C) => Name | undefined;
  readonly with: (configuration: C, name: Name) => C;
}

const downBy = <C extends { readonly down?: DownsamplingName }>(
  usual: DownsamplingName,
  released?: DownsamplingName,
): Choice<C, DownsamplingName> => ({
  released,
  of: ({ down = usual }) => down,
  with: (c, down) => ({ ...c, down }),
});
const upBy = <C extends { readonly up?: UpsamplingName }>(
  usual: UpsamplingName | undefined,
  released?: UpsamplingName,
): Choice<C, UpsamplingName> => ({
  released,
  of: ({ up = usual }) => up,
  with: (c, up) => ({ ...c, up }),
});

const image = ["image"] as const;

const families: { readonly [F in NetworkConfiguration["family"]]: Family<Extract<NetworkConfiguration, { family: F }>> } = {
  nafnet: {
    task: "restoration",
    inputs: image,
    apply: (p, [x], c) => nafnet(p, x!, c),
    multipleOf: () => 1,
    down: downBy("strided", "boa-as-published-v2"),
    up: upBy("pixel-shuffle", "freq-avg"),
  },
  restormer: {
    task: "restoration",
    inputs: image,
    apply: (p, [x], c) => restormer(p, x!, c),
    multipleOf: restormerMultiple,
    down: downBy("pixel-unshuffle"),
    up: upBy("pixel-shuffle"),
  },
  unet: {
    inputs: image,
    apply: (p, [x], c) => unet(p, x!, c),
    multipleOf: (c) => multipleFor(c.down ?? "max-pool", c.levels),
    down: downBy("max-pool"),
    up: upBy("transposed-2"),
  },
  "convnext-unet": {
    inputs: image,
    apply: (p, [x], c) => convnextUnet(p, x!, c),
    multipleOf: convnextUnetMultiple,
    down: downBy("strided"),
    up: upBy("transposed-2"),
  },
  resnet: { inputs: image, apply: (p, [x], c) => resnet(p, x!, c), multipleOf: resnetMultiple, down: downBy("strided") },
  segmentation: {
    inputs: image,
    apply: (p, [x], c) => segmentationNetwork(p, x!, c),
    multipleOf: (c) => resnetMultiple(c.backbone),
    down: {
      of: ({ backbone: { down = "strided" } }) => down,
      with: (c, down) => ({ ...c, backbone: { ...c.backbone, down } }),
    },
  },
  flow: {
    task: "flow",
    inputs: ["first", "second"],
    apply: (p, [a, b], c) => flow(p, a!, b!, c),
    multipleOf: flowMultiple,
    down: downBy("strided"),
  },
  stereo: {
    task: "disparity",
    inputs: ["left", "right"],
    apply: (p, [a, b], c) => stereo(p, a!, b!, c),
    multipleOf: (c) => Math.max(4, multipleFor(c.down ?? "strided", 2)),
    down: downBy("strided"),
    up: upBy(undefined),
  },
};

/** A network with what a caller must know to feed it. */
export interface NamedNetwork {
  readonly configuration: NetworkConfiguration;
  readonly task?: TaskName;
  readonly network: Network;
  readonly inputs: readonly string[];
  readonly imageChannels: number;
  readonly multipleOf: number;
}

/**
 * The network of a configuration, or of a name in `publishedNetworks`.
 *
 * @throws ParameterError for an unknown name.
 * @example
 * const { network } = findNetwork("nafnet-gopro-w32");
 * const model = networkModel(network, await loadCheckpoint("NAFNet-GoPro-width32.pth"), { image: [1, 3, 256, 256] });
 */
export function findNetwork(which: string | NetworkConfiguration): NamedNetwork {
  const configuration = typeof which === "string" ? publishedNetworks[which] : which;
  if (!configuration)
    throw new ParameterError(
      `There is no network "${which}"; choose one of ${Object.keys(publishedNetworks).sort().join(", ")}.`,
    );
  const { imageChannels = 3 } = configuration;
  const { task, inputs, apply, multipleOf } = families[configuration.family] as unknown as Family<NetworkConfiguration>;
  return {
    configuration,
    ...(task && { task }),
    network: (p, ...values) => {
      checkInputs(values, inputs, imageChannels);
      return apply(p, values, configuration);
    },
    inputs,
    imageChannels,
    multipleOf: multipleOf(configuration),
  };
}

/** How a network halves and doubles resolutions, defaults included; undefined where its family has no such choice. */
export function resamplingOf(configuration: NetworkConfiguration): {
  readonly down: DownsamplingName | undefined;
  readonly up: UpsamplingName | undefined;
} {
  const { down, up } = families[configuration.family] as unknown as Family<NetworkConfiguration>;
  return { down: down?.of(configuration), up: up?.of(configuration) };
}

/** What released code of the family means by parameters that several choices share. */
export function releasedResampling({ family }: NetworkConfiguration): {
  readonly down: DownsamplingName | undefined;
  readonly up: UpsamplingName | undefined;
} {
  const { down, up } = families[family] as unknown as Family<NetworkConfiguration>;
  return { down: down?.released, up: up?.released };
}

/** The same network with another way to halve or double the resolution; undefined where its family has no such choice. */
export function resampled(
  configuration: NetworkConfiguration,
  { down, up }: { readonly down?: DownsamplingName | undefined; readonly up?: UpsamplingName | undefined },
): NetworkConfiguration | undefined {
  const family = families[configuration.family] as unknown as Family<NetworkConfiguration>;
  if ((down && !family.down) || (up && !family.up)) return undefined;
  const halved = down ? family.down!.with(configuration, down) : configuration;
  return up ? family.up!.with(halved, up) : halved;
}

/** Every tensor of a network, which its images' size does not change. */
export function tensorsOf({ network, inputs, imageChannels, multipleOf }: NamedNetwork): ReadonlyMap<string, Declaration> {
  const side = roundUp(64, multipleOf);
  return declarations(network, Object.fromEntries(inputs.map((name) => [name, [1, imageChannels, side, side]])));
}

function checkInputs(values: readonly Value[], names: readonly string[], channels: number): void {
  if (values.length !== names.length)
    throw new ParameterError(`The network takes ${names.length} inputs (${names.join(", ")}), not ${values.length}.`);
  for (const [i, { shape }] of values.entries()) {
    if (shape.length !== 4 || shape[1] !== channels)
      throw new ParameterError(`The network's input "${names[i]}" is [N, ${channels}, H, W], not [${shape.join(", ")}].`);
  }
}
