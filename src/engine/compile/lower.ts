import type { OnnxModel } from "../onnx/model.js";
import type { Provider } from "../runtime/engine.js";
import { absorbExpand } from "./lowerings/absorb-expand.js";
import { reluMask } from "./lowerings/relu-mask.js";
import { graphOf, type Lowering, rewrite } from "./rewrite.js";

/** All lowerings, in the order in which they are tried; each stage sees the result of the one before. */
export const loweringStages: readonly (readonly Lowering[])[] = [[absorbExpand, reluMask]];

/** Rewrites a static model into an equal one that runs faster on the given provider. */
export function lower(model: OnnxModel, provider: Provider): OnnxModel {
  let graph = graphOf(model);
  for (const stage of loweringStages) {
    graph = rewrite(
      graph,
      stage.filter((l) => l.providers === "all" || l.providers.includes(provider)),
    );
  }
  return graph.build();
}
