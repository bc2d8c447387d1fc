import { z } from "zod";
import type { ConvnextUnetConfiguration } from "../../vision/nn/networks/convnext-unet.js";
import type { FlowConfiguration } from "../../vision/nn/networks/flow.js";
import { type NetworkConfiguration, publishedNetworks } from "../../vision/nn/networks/index.js";
import type { NafnetConfiguration } from "../../vision/nn/networks/nafnet.js";
import type { ResnetConfiguration } from "../../vision/nn/networks/resnet.js";
import type { RestormerConfiguration } from "../../vision/nn/networks/restormer.js";
import type { SegmentationConfiguration } from "../../vision/nn/networks/segmentation.js";
import type { StereoConfiguration } from "../../vision/nn/networks/stereo.js";
import type { UnetConfiguration } from "../../vision/nn/networks/unet.js";
import { downsamplings, upsamplings } from "../../vision/nn/resampling/index.js";

/** A field of a configuration that `Fields` lacks here does not compile: a new option of a network must be readable from files too. */
type Fields<C> = { readonly [K in keyof Required<C>]: z.ZodType };

const whole = z.number().int().positive();
const counts = z.array(z.number().int().nonnegative()).nonempty();
const four = z.tuple([whole, whole, whole, whole]);
const factor = z.number().positive();
const imageChannels = whole.optional();
const down = z.enum(namesOf(downsamplings)).optional();
const up = z.enum(namesOf(upsamplings)).optional();
const backbone = {
  block: z.enum(["basic", "bottleneck"]),
  blocks: counts,
  width: whole,
  stem: z.enum(["imagenet", "cifar"]),
  down,
};

const nafnet = {
  family: z.literal("nafnet"),
  imageChannels,
  activation: z.enum(["gelu", "relu", "simple-gate"]),
  attention: z.enum(["channel", "simplified-channel"]),
  width: whole,
  encoderBlocks: counts,
  middleBlocks: z.number().int().nonnegative(),
  decoderBlocks: counts,
  depthwiseExpansion: factor.optional(),
  feedForwardExpansion: factor.optional(),
  pooling: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("global") }),
      z.strictObject({ kind: z.literal("local"), trainingSize: z.tuple([whole, whole]) }),
    ])
    .optional(),
  down,
  up,
  decoderKernel: whole.optional(),
} satisfies Fields<NafnetConfiguration>;

const restormer = {
  family: z.literal("restormer"),
  imageChannels,
  outputChannels: whole.optional(),
  width: whole,
  blocks: four,
  refinementBlocks: z.number().int().nonnegative(),
  heads: four,
  feedForwardExpansion: factor,
  normalization: z.enum(["with-bias", "bias-free"]),
  bias: z.enum(["learned", "none"]).optional(),
  down,
  up,
} satisfies Fields<RestormerConfiguration>;

const unet = {
  family: z.literal("unet"),
  imageChannels,
  width: whole,
  levels: whole,
  outputChannels: whole,
  normalization: z.enum(["batch", "none"]),
  output: z.enum(["plain", "residual"]),
  down,
  up,
} satisfies Fields<UnetConfiguration>;

const convnextUnet = {
  family: z.literal("convnext-unet"),
  imageChannels,
  depths: counts,
  widths: counts,
  decoderWidths: counts,
  classes: whole,
  down,
  up,
  decoderKernel: whole.optional(),
} satisfies Fields<ConvnextUnetConfiguration>;

const resnet = { family: z.literal("resnet"), imageChannels, ...backbone, classes: whole } satisfies Fields<ResnetConfiguration>;

const segmentation = {
  family: z.literal("segmentation"),
  imageChannels,
  backbone: z.strictObject(backbone),
  head: z.enum(["deeplabv3", "pspnet"]),
  headWidth: whole.optional(),
  classes: whole,
} satisfies Fields<SegmentationConfiguration>;

const flow = {
  family: z.literal("flow"),
  imageChannels,
  width: whole,
  levels: whole,
  radius: whole,
  down,
} satisfies Fields<FlowConfiguration>;

const stereo = {
  family: z.literal("stereo"),
  imageChannels,
  width: whole,
  disparities: whole,
  down,
  up,
} satisfies Fields<StereoConfiguration>;

/** A network as files and run plans describe it. */
export const networkSchema = z.discriminatedUnion("family", [
  z.strictObject(nafnet),
  z.strictObject(restormer),
  z.strictObject(unet),
  z.strictObject(convnextUnet),
  z.strictObject(resnet),
  z.strictObject(segmentation),
  z.strictObject(flow),
  z.strictObject(stereo),
]);

const allowed = `one of ${Object.keys(publishedNetworks).sort().join(", ")}, or an object with a family`;

/** A published network's name, or a configuration of one's own. */
export const networkChoiceSchema = z
  .union([
    z
      .string()
      .refine((name) => Object.hasOwn(publishedNetworks, name))
      .meta({ allowed }),
    networkSchema,
  ])
  .meta({ allowed });

/** The checked configuration. (zod's optional fields may hold undefined where ours may be absent; JSON knows no difference.) */
export function asConfiguration(choice: z.infer<typeof networkChoiceSchema>): NetworkConfiguration {
  return typeof choice === "string" ? publishedNetworks[choice]! : (choice as NetworkConfiguration);
}

function namesOf<T extends object>(table: T) {
  return Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];
}
