import type { OnnxModel } from "../onnx/model.js";
import type { Provider } from "../runtime/engine.js";
import { absorbExpand } from "./lowerings/absorb-expand.js";
import { channelSum } from "./lowerings/channel-sum.js";
import { clipMask } from "./lowerings/clip-mask.js";
import { foldChannelScale } from "./lowerings/fold-channel-scale.js";
import { geluGradient } from "./lowerings/gelu-gradient.js";
import { joinPads } from "./lowerings/join-pads.js";
import { maxPoolWindows } from "./lowerings/max-pool-windows.js";
import { maxUnpoolGradient } from "./lowerings/max-unpool.js";
import { mergeScales } from "./lowerings/merge-scales.js";
import { reluMask } from "./lowerings/relu-mask.js";
import { resizeProduct } from "./lowerings/resize-product.js";
import { siluGradient } from "./lowerings/silu-gradient.js";
import { splitConv } from "./lowerings/split-conv.js";
import { spreadDepthwise } from "./lowerings/spread-depthwise.js";
import { tidyLayout } from "./lowerings/tidy-layout.js";
import { transposedPhases } from "./lowerings/transposed-phases.js";
import { graphOf, type Lowering, rewrite } from "./rewrite.js";

/**
 * All lowerings. Within a stage the first that applies to a node replaces it; each stage sees the result of the one before: gradient rules'
 * own patterns are recognised before arithmetic is merged, and what becomes of them is placed last.
 */
export const loweringStages: readonly (readonly Lowering[])[] = [
  [absorbExpand, tidyLayout, maxUnpoolGradient, maxPoolWindows],
  [reluMask, clipMask, siluGradient, geluGradient, joinPads],
  [tidyLayout, mergeScales],
  [foldChannelScale, splitConv, resizeProduct, transposedPhases, spreadDepthwise],
  [foldChannelScale, channelSum],
];

/**
 * Rewrites a static model into an equal one that runs faster on the given provider.
 *
 * @param stages fewer than all: to see what a lowering does.
 */
export function lower(model: OnnxModel, provider: Provider, stages = loweringStages): OnnxModel {
  let graph = graphOf(model);
  for (const stage of stages) {
    graph = rewrite(
      graph,
      stage.filter((l) => l.providers === "all" || l.providers.includes(provider)),
    );
  }
  return graph.build();
}
