import { GraphError } from "../../../engine/graph/graph.js";
import type { StateDict } from "../checkpoints/state-dict.js";
import type { DownsamplingName, UpsamplingName } from "../resampling/index.js";
import { downsamplingKin, type Kin, upsamplingKin } from "../resampling/kin.js";
import { type Declaration, ParameterError } from "../scope.js";
import { findNetwork, type NetworkConfiguration, releasedResampling, resampled, resamplingOf, tensorsOf } from "./find.js";
import type { FourLevels } from "./restormer.js";

/** Names with shapes: a state dict, or what a checkpoint's header says. */
export type NamedShapes = ReadonlyMap<string, { readonly shape: readonly number[] }> | StateDict;

/**
 * The configuration of the network whose parameters these are, from their names and shapes alone. What leaves no trace there takes its
 * published value: GELU where nothing gates, global pooling, DeepLab's and PSPNet's dilation, of several ways to resample that of the family's
 * released code, else the first that fits (`sameParameters` names the others).
 *
 * @throws ParameterError where the names are those of no network that Faultline knows.
 * @example recognizeConfiguration(await loadCheckpoint("motion_deblurring.pth"))
 */
export function recognizeConfiguration(state: NamedShapes): NetworkConfiguration {
  const found = new Shapes(state);
  for (const recognize of [nafnet, restormer, convnextUnet, unet, segmentation, resnet, flow, stereo]) {
    const configuration = recognize(found);
    if (configuration) return withResampling(configuration, state);
  }
  const names = [...state.keys()];
  throw new ParameterError(
    `The parameter names (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", ..." : ""}) are those of no network that Faultline knows; strip a prefix such as "module." or give the configuration.`,
  );
}

/** The configuration with the ways of resampling whose parameters are there. */
function withResampling(plain: NetworkConfiguration, state: NamedShapes): NetworkConfiguration {
  const best = (from: NetworkConfiguration, kin: Kin<string>, field: Field): NetworkConfiguration => {
    let [found, wrong] = [from, misfits(from, state)];
    const released = releasedResampling(plain)[field];
    for (const names of kin) {
      if (wrong === 0) break;
      const variant = resampled(from, { [field]: names.find((name) => name === released) ?? names[0]! });
      const misfit = variant ? misfits(variant, state) : Number.POSITIVE_INFINITY;
      if (misfit < wrong) [found, wrong] = [variant!, misfit];
    }
    return found;
  };
  return best(best(plain, downsamplingKin(), "down"), upsamplingKin(), "up");
}

type Field = "down" | "up";

/** How many tensors of the network the checkpoint lacks or has in another shape, and it has beside them. */
function misfits(configuration: NetworkConfiguration, state: NamedShapes): number {
  const declared = declaredBy(configuration);
  if (!declared) return Number.POSITIVE_INFINITY;
  const fitting = [...declared].filter(([name, { shape }]) => sameSize(state.get(name)?.shape, shape)).length;
  return declared.size + state.size - 2 * fitting;
}

/** PyTorch writes single numbers without an axis. */
const sameSize = (found: readonly number[] | undefined, expected: readonly number[]): boolean =>
  found !== undefined && (found.length === 0 ? [1] : found).join() === expected.join();

/** Undefined where this network cannot be built. */
function declaredBy(configuration: NetworkConfiguration): ReadonlyMap<string, Declaration> | undefined {
  try {
    return tensorsOf(findNetwork(configuration));
  } catch (error) {
    if (error instanceof ParameterError || error instanceof GraphError) return undefined;
    throw error;
  }
}

/**
 * Ways to resample under which the network would have the very same parameters, so that a checkpoint alone does not tell which it was
 * trained with; the one that the configuration has is not among them.
 *
 * @example sameParameters(publishedNetworks.resnet50!) // { down: ["max-pool", "flc", "asap", ...], up: [] }
 */
export function sameParameters(configuration: NetworkConfiguration): {
  readonly down: readonly DownsamplingName[];
  readonly up: readonly UpsamplingName[];
} {
  const own = declaredBy(configuration) ?? new Map<string, Declaration>();
  const { down, up } = resamplingOf(configuration);
  const besides = <Name extends string>(kin: Kin<Name>, chosen: Name | undefined, same: (name: Name) => boolean): Name[] =>
    chosen === undefined
      ? []
      : kin.filter((names) => names.includes(chosen) || same(names[0]!)).flatMap((names) => names.filter((n) => n !== chosen));
  const fits = (variant: NetworkConfiguration | undefined) => variant !== undefined && misfits(variant, own) === 0;
  return {
    // Some networks have the same convolution before or after whatever halves.
    down: besides(downsamplingKin(), down, (name) => fits(resampled(configuration, { down: name }))),
    up: besides(upsamplingKin(), up, () => false),
  };
}

class Shapes {
  constructor(private readonly state: NamedShapes) {}

  has(name: string): boolean {
    return this.state.has(name);
  }

  /** A dimension of a tensor that the family must have. */
  dimension(name: string, axis: number): number {
    const d = this.state.get(name)?.shape[axis];
    if (d === undefined)
      throw new ParameterError(
        `The checkpoint looks familiar, but it has no tensor "${name}" of ${axis + 1} or more dimensions.`,
      );
    return d;
  }

  /** How many of `prefix0suffix`, `prefix1suffix` ... there are; the first number may be another. */
  count(prefix: string, suffix: string, first = 0): number {
    let n = 0;
    while (this.has(`${prefix}${first + n}${suffix}`)) n++;
    return n;
  }

  /** Blocks in each of the modules 0, 1 ... whose names begin so. */
  counts(prefix: (index: number) => string, suffix: string): number[] {
    const counts: number[] = [];
    for (let n = this.count(prefix(0), suffix); n > 0; n = this.count(prefix(counts.length), suffix)) counts.push(n);
    return counts;
  }
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const decoderKernel = (side: number) => (side === 3 ? {} : { decoderKernel: side });

function nafnet(s: Shapes): NetworkConfiguration | undefined {
  if (!s.has("intro.weight") || !s.has("encoders.0.0.conv1.weight")) return undefined;
  const block = "encoders.0.0";
  const width = s.dimension("intro.weight", 0);
  const gated = s.dimension(`${block}.conv5.weight`, 1) * 2 === s.dimension(`${block}.conv4.weight`, 0);
  return {
    family: "nafnet",
    activation: gated ? "simple-gate" : "gelu",
    attention: s.has(`${block}.sca.1.weight`) ? "simplified-channel" : "channel",
    imageChannels: s.dimension("intro.weight", 1),
    width,
    encoderBlocks: s.counts((level) => `encoders.${level}.`, ".conv1.weight"),
    middleBlocks: s.count("middle_blks.", ".conv1.weight"),
    decoderBlocks: s.counts((level) => `decoders.${level}.`, ".conv1.weight"),
    depthwiseExpansion: s.dimension(`${block}.conv1.weight`, 0) / width,
    ...decoderKernel(s.dimension("decoders.0.0.conv2.weight", 2)),
    feedForwardExpansion: s.dimension(`${block}.conv4.weight`, 0) / width,
  };
}

function restormer(s: Shapes): NetworkConfiguration | undefined {
  if (!s.has("patch_embed.proj.weight") || !s.has("encoder_level1.0.attn.temperature")) return undefined;
  const levels = ["encoder_level1.", "encoder_level2.", "encoder_level3.", "latent."];
  const perLevel = (measure: (level: string) => number) => levels.map(measure) as unknown as FourLevels;
  const hidden = levels.map(
    (level) => [s.dimension(`${level}0.ffn.project_out.weight`, 1), s.dimension(`${level}0.ffn.project_out.weight`, 0)] as const,
  );
  return {
    family: "restormer",
    imageChannels: s.dimension("patch_embed.proj.weight", 1),
    outputChannels: s.dimension("output.weight", 0),
    width: s.dimension("patch_embed.proj.weight", 0),
    blocks: perLevel((level) => s.count(level, ".attn.temperature")),
    refinementBlocks: s.count("refinement.", ".attn.temperature"),
    heads: perLevel((level) => s.dimension(`${level}0.attn.temperature`, 0)),
    feedForwardExpansion: shortestFactor(hidden),
    normalization: s.has("encoder_level1.0.norm1.body.bias") ? "with-bias" : "bias-free",
    bias: s.has("output.bias") ? "learned" : "none",
  };
}

/** The decimal number of fewest digits f with ⌊f · channels⌋ = hidden on every level. */
function shortestFactor(levels: readonly (readonly [hidden: number, channels: number])[]): number {
  for (let digits = 0; digits <= 6; digits++) {
    const lowest = Math.max(...levels.map(([hidden, channels]) => hidden / channels));
    const factor = Number((Math.ceil(lowest * 10 ** digits - 1e-9) / 10 ** digits).toFixed(digits));
    if (levels.every(([hidden, channels]) => Math.floor(channels * factor) === hidden)) return factor;
  }
  throw new ParameterError(
    "The hidden channels of the Restormer's feed-forward parts fit no common expansion factor; give the configuration.",
  );
}

function convnextUnet(s: Shapes): NetworkConfiguration | undefined {
  if (!s.has("encoder.stem_0.weight") || !s.has("decoder.final_conv.weight")) return undefined;
  const depths = s.counts((stage) => `encoder.stages_${stage}.blocks.`, ".gamma");
  const decoderBlocks = s.count("decoder.blocks.", ".conv1.conv.weight");
  return {
    family: "convnext-unet",
    imageChannels: s.dimension("encoder.stem_0.weight", 1),
    depths,
    widths: depths.map((_, stage) => s.dimension(`encoder.stages_${stage}.blocks.0.gamma`, 0)),
    decoderWidths: range(decoderBlocks).map((i) => s.dimension(`decoder.blocks.${i}.conv1.conv.weight`, 0)),
    classes: s.dimension("decoder.final_conv.weight", 0),
    ...decoderKernel(s.dimension("decoder.blocks.0.conv1.conv.weight", 2)),
  };
}

function unet(s: Shapes): NetworkConfiguration | undefined {
  if (!s.has("inc.double_conv.0.weight") || !s.has("outc.conv.weight")) return undefined;
  return {
    family: "unet",
    imageChannels: s.dimension("inc.double_conv.0.weight", 1),
    width: s.dimension("inc.double_conv.0.weight", 0),
    levels: s.count("down", ".maxpool_conv.1.double_conv.0.weight", 1),
    outputChannels: s.dimension("outc.conv.weight", 0),
    normalization: s.has("inc.double_conv.1.weight") ? "batch" : "none",
    output: "plain",
  };
}

function segmentation(s: Shapes): NetworkConfiguration | undefined {
  const backbone = resnetStem(s, "backbone.");
  if (!backbone) return undefined;
  if (s.has("classifier.0.convs.0.0.weight"))
    return {
      family: "segmentation",
      ...backbone,
      head: "deeplabv3",
      headWidth: s.dimension("classifier.0.convs.0.0.weight", 0),
      classes: s.dimension("classifier.4.weight", 0),
    };
  if (s.has("ppm.features.0.1.weight"))
    return {
      family: "segmentation",
      ...backbone,
      head: "pspnet",
      headWidth: s.dimension("cls.0.weight", 0),
      classes: s.dimension("cls.4.weight", 0),
    };
  return undefined;
}

function resnet(s: Shapes): NetworkConfiguration | undefined {
  const stem = resnetStem(s, "");
  return stem && { family: "resnet", imageChannels: stem.imageChannels, ...stem.backbone, classes: s.dimension("fc.weight", 0) };
}

function resnetStem(s: Shapes, prefix: string) {
  if (!s.has(`${prefix}conv1.weight`) || !s.has(`${prefix}layer1.0.conv1.weight`)) return undefined;
  return {
    imageChannels: s.dimension(`${prefix}conv1.weight`, 1),
    backbone: {
      block: s.has(`${prefix}layer1.0.conv3.weight`) ? ("bottleneck" as const) : ("basic" as const),
      blocks: s.counts((stage) => `${prefix}layer${stage + 1}.`, ".conv1.weight"),
      width: s.dimension(`${prefix}layer1.0.conv1.weight`, 0),
      stem: s.dimension(`${prefix}conv1.weight`, 2) === 7 ? ("imagenet" as const) : ("cifar" as const),
    },
  };
}

function flow(s: Shapes): NetworkConfiguration | undefined {
  if (!s.has("pyramid.stem.weight") || !s.has("decoders.0.0.weight")) return undefined;
  const levels = s.count("decoders.", ".0.weight");
  const coarsest = levels - 1;
  const shifts = s.dimension(`decoders.${coarsest}.0.weight`, 1) - s.dimension(`pyramid.${coarsest}.1.weight`, 0);
  return {
    family: "flow",
    imageChannels: s.dimension("pyramid.stem.weight", 1),
    width: s.dimension("pyramid.0.1.weight", 0),
    levels,
    radius: (Math.sqrt(shifts) - 1) / 2,
  };
}

function stereo(s: Shapes): NetworkConfiguration | undefined {
  if (!s.has("features.0.weight") || !s.has("refine.2.weight")) return undefined;
  return {
    family: "stereo",
    imageChannels: s.dimension("features.0.weight", 1),
    width: s.dimension("features.2.weight", 0),
    disparities: 4 * s.dimension("refine.2.weight", 0),
  };
}
