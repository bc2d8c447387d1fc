import type { Engine, Feeds } from "../../../engine/runtime/engine.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { addTile, coreMask, cutTile, putCore } from "../../../vision/tile-pixels.js";
import { tilePlaces } from "../../../vision/tiling.js";
import type { TiledImages } from "../attacked-model.js";
import { HostCopies, type PassOptions, type Runnable, Sums, shapeOf } from "./runnable.js";

/**
 * A program for whole images made of one for tiles. The loss is a sum over pixels, each predicted by one tile; so its gradient is the sum of the tiles'
 * gradients, each with respect to all that the tile sees, added up where tiles overlap. Memory is that of one tile (of each image of the batch), whatever
 * the size of the images; the result is that of one graph with all tiles (`tiled`), up to the order of the sums.
 *
 * Of the outputs, `gradient.<role>` is added up so, what has one number for each sample is a mean over the pixels, and maps are put together from cores.
 */
export class TileByTile implements Runnable {
  readonly inputs: Runnable["inputs"];
  readonly #copies: HostCopies;

  constructor(
    engine: Engine,
    private readonly tile: Runnable,
    private readonly tiled: TiledImages,
  ) {
    this.#copies = new HostCopies(engine);
    const { height, width } = tiled;
    this.inputs = tile.inputs.map((input) =>
      shapeOf(input).length < 3 ? input : { ...input, shape: [...shapeOf(input).slice(0, -2), height, width] },
    );
  }

  async run(feeds: Feeds, options: PassOptions = {}): Promise<Record<string, Tensor>> {
    const { tiling, height, width } = this.tiled;
    const { valid, ...whole } = await this.#copies.of(feeds, this);
    const batch = shapeOf(this.inputs[0]!)[0]!;
    const masked = this.inputs.some(({ name }) => name === "valid");
    const means = new Sums();
    const maps = new Map<string, Tensor<"float32">>();
    /** Of the images' pixels, those that a mean over a tile stands for. */
    const share = (tiling.height * tiling.width) / (height * width);
    for (const place of tilePlaces({ height, width }, tiling)) {
      const cut = Object.entries(whole).map(([name, t]) => [name, t.shape.length < 3 ? t : cutTile(t, place, tiling)]);
      const core = masked && { valid: coreMask(batch, valid as Tensor<"float32"> | undefined, place, tiling) };
      const found = await this.tile.run({ ...Object.fromEntries(cut), ...core }, options.only ? { only: options.only } : {});
      for (const [name, handle] of Object.entries(found)) {
        const t = handle as Tensor<"float32">;
        if (t.shape.length === 1) means.add(name, t, share);
        else {
          const map = maps.get(name) ?? tensor("float32", [...t.shape.slice(0, -2), height, width]);
          maps.set(name, map);
          if (name.startsWith("gradient.")) addTile(map, t, place, tiling, share);
          else putCore(map, t, place);
        }
      }
    }
    return { ...Object.fromEntries(maps), ...means.values() };
  }

  dispose(): void {
    this.tile.dispose();
  }
}
