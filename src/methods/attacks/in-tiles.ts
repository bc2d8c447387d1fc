import type { Predictor } from "../../vision/predictor.js";
import type { PredictorSize } from "../../vision/spec/model-predictor.js";
import { tiled } from "../../vision/tiled-predictor.js";
import type { Tiling } from "../../vision/tiling.js";
import type { AttackedModel } from "./attacked-model.js";
import { type Aim, type Attack, ascentsOf } from "./definition.js";

/**
 * The model under attack where pictures are predicted tile by tile. It is attacked so too, in the memory of one tile; what looks at a whole prediction
 * at once (a softmax down its columns, a loss that counts pixels) needs all tiles in one graph, and the memory of all.
 *
 * @param size of the pictures. @param predictorFor makes the predictor of one batch of tiles.
 */
export async function inTiles(
  attack: Attack,
  aim: Aim,
  size: PredictorSize,
  tiling: Tiling,
  predictorFor: (tiles: PredictorSize) => Promise<Predictor>,
): Promise<Pick<AttackedModel, "predictor" | "tiled">> {
  const { alignments, losses } = aim.task;
  const wide = (await ascentsOf(attack, aim)).some(({ weight: { alignment = "" }, loss }) =>
    [alignments[alignment], typeof loss === "string" ? losses[loss] : loss].some((of) => of?.sees === "whole prediction"),
  );
  if (wide || !attack.definition.handles.includes("tiles")) return { predictor: await tiled(size, tiling, predictorFor) };
  const { batch, height, width } = size;
  return {
    predictor: await predictorFor({ batch, height: tiling.height, width: tiling.width }),
    tiled: { tiling, height, width },
  };
}
