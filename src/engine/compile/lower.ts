import type { Graph } from "../graph/graph.js";
import type { Provider } from "../runtime/engine.js";
import { type Rewrite, rewrite } from "./rewrite.js";
import { absorbExpand } from "./rewrites/absorb-expand.js";
import { attentionGradient } from "./rewrites/attention-gradient.js";
import { channelSum } from "./rewrites/channel-sum.js";
import { clipInBlocks } from "./rewrites/clip-in-blocks.js";
import { clipMask } from "./rewrites/clip-mask.js";
import { clipMaskOfConv } from "./rewrites/clip-mask-of-conv.js";
import { foldChannelScale } from "./rewrites/fold-channel-scale.js";
import { geluGradient } from "./rewrites/gelu-gradient.js";
import { hardSwishGradient } from "./rewrites/hard-swish-gradient.js";
import { joinPads } from "./rewrites/join-pads.js";
import { maxPoolWindows } from "./rewrites/max-pool-windows.js";
import { maxUnpoolGradient } from "./rewrites/max-unpool.js";
import { mergeScales } from "./rewrites/merge-scales.js";
import { padBeforePool } from "./rewrites/pad-before-pool.js";
import { reluMask } from "./rewrites/relu-mask.js";
import { siluGradient } from "./rewrites/silu-gradient.js";
import { splitConv } from "./rewrites/split-conv.js";
import { spreadDepthwise } from "./rewrites/spread-depthwise.js";
import { tidyLayout } from "./rewrites/tidy-layout.js";
import { transposedPhases } from "./rewrites/transposed-phases.js";
import { transposedProduct } from "./rewrites/transposed-product.js";
import { winograd } from "./rewrites/winograd.js";

/**
 * All rewrites. Within a stage the first that applies to a node replaces it; each stage sees the result of the one before: gradient rules'
 * own patterns are recognized before arithmetic is merged, and what becomes of them is placed last.
 */
export const rewriteStages: readonly (readonly Rewrite[])[] = [
  [absorbExpand, tidyLayout, maxUnpoolGradient, maxPoolWindows, clipMaskOfConv],
  [reluMask, clipMask, siluGradient, hardSwishGradient, geluGradient, attentionGradient, transposedProduct, joinPads],
  [tidyLayout, mergeScales],
  [foldChannelScale, splitConv, transposedPhases, spreadDepthwise, padBeforePool, winograd],
  [foldChannelScale, channelSum, clipInBlocks],
];

/**
 * Rewrites a graph into an equal one that runs faster on the given provider.
 *
 * @param stages fewer than all: to see what a rewrite does.
 */
export function lower(graph: Graph, provider: Provider, stages = rewriteStages): Graph {
  return stages.reduce(
    (lowered, stage) =>
      rewrite(
        lowered,
        stage.filter((l) => l.providers === "all" || l.providers.includes(provider)),
      ),
    graph,
  );
}
