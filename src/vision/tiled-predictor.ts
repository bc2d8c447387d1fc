import type { Value } from "../engine/graph/graph.js";
import { concat, pad, slice, split } from "../engine/operators/index.js";
import type { Predictor } from "./predictor.js";
import { SpecError } from "./spec/error.js";
import type { PredictorSize } from "./spec/model-predictor.js";
import { type TileSpan, type Tiling, tileSpans } from "./tiling.js";

/**
 * A predictor for pictures of any size from one for tiles, as one graph: the picture is cut into overlapping tiles, all are predicted as one batch,
 * and the cores of the predictions are put together. So the gradient is that of the whole picture: a pixel that lies in several tiles gets
 * the sum of what it does to all their cores. A picture smaller than a tile is mirrored beyond its right and lower edge, within the graph.
 *
 * @param size of the picture. @param predictorFor makes the predictor of one batch of tiles.
 * @throws SpecError when what is predicted of a tile has not the tile's size.
 * @example tiled({ batch: 1, height: 600, width: 800 }, { height: 256, width: 256, overlap: 64 }, (s) => modelPredictor(model, spec, s, evaluate))
 */
export async function tiled(
  size: PredictorSize,
  tiling: Tiling,
  predictorFor: (tiles: PredictorSize) => Promise<Predictor>,
): Promise<Predictor> {
  const { batch, height, width } = size;
  const rows = tileSpans(height, tiling.height, tiling.overlap);
  const columns = tileSpans(width, tiling.width, tiling.overlap);
  const count = batch * rows.length * columns.length;
  const inner = await predictorFor({ batch: count, height: tiling.height, width: tiling.width });
  const cutImage = (image: Value) => cut(cut(image, 2, rows, tiling.height), 3, columns, tiling.width);
  return {
    images: Object.fromEntries(
      Object.entries(inner.images).map(([role, [, channels]]) => [role, [batch, channels!, height, width]]),
    ),
    predict: (graph, images) => {
      const tiles = Object.fromEntries(Object.entries(images).map(([role, image]) => [role, cutImage(image)]));
      const predicted = inner.predict(graph, tiles);
      const [entries, , h, w] = predicted.shape;
      if (predicted.shape.length !== 4 || entries !== count || h !== tiling.height || w !== tiling.width)
        throw new SpecError(
          `What is predicted of a tile of ${tiling.height}x${tiling.width} (height x width) is [${predicted.shape.slice(1).join(", ")}]; tiles are for predictions of the size of their image.`,
        );
      return stitch(stitch(predicted, 3, columns), 2, rows);
    },
  };
}

/** [B, C, ...] -> [tiles B, C, ...]: the tiles along one axis, behind each other along the batch. */
function cut(x: Value, axis: number, spans: readonly TileSpan[], tile: number): Value {
  const filled = mirrored(x, axis, tile);
  return concat(
    spans.map(({ start }) => part(filled, axis, start, start + tile)),
    0,
  );
}

/** [tiles B, C, ...] -> [B, C, ...]: the cores along one axis, put together. */
function stitch(y: Value, axis: number, spans: readonly TileSpan[]): Value {
  const batch = y.shape[0]! / spans.length;
  const tiles = split(
    y,
    0,
    spans.map(() => batch),
  );
  return concat(
    spans.map(({ start, from, to }, i) => part(tiles[i]!, axis, from - start, to - start)),
    axis,
  );
}

const part = (x: Value, axis: number, from: number, to: number): Value =>
  from === 0 && to === x.shape[axis] ? x : slice(x, [from], [to], { axes: [axis] });

/** At least `size` long: what is missing at the end is mirrored without repeating the edge. */
function mirrored(x: Value, axis: number, size: number): Value {
  const missing = Math.max(0, size - x.shape[axis]!);
  const after = x.shape.map((_, i) => (i === axis ? missing : 0));
  return pad(x, [...after.map(() => 0), ...after], "reflect");
}
