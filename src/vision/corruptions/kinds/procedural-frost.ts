import { defineCorruption, type Picture } from "../corruption.js";
import { plasma } from "../parts/plasma.js";
import { blended, frostStrengths } from "./frost.js";

/**
 * Frost that is computed, for those who have no photographs of it: veins where a cloudy map crosses its middle, denser towards one side, in the bluish white
 * of ice. It is ours and not ImageNet-C's: numbers under it do not compare with those under `frost`.
 */
export const proceduralFrost = defineCorruption({
  name: "procedural_frost",
  family: "own",
  summary: "frost on the lens, computed",
  strengths: frostStrengths,
  apply: (picture, strength, random) => {
    const { height, width } = picture;
    const side = 2 ** Math.ceil(Math.log2(Math.max(height, width, 2)));
    const veins = plasma(side, 1.6, random);
    const density = plasma(side, 2.6, random);
    const ice = new Float32Array(height * width);
    for (let i = 0; i < ice.length; i++) {
      const at = Math.floor(i / width) * side + (i % width);
      const ridge = 1 - Math.abs(2 * veins[at]! - 1);
      ice[i] = 0.2 + 0.35 * density[at]! + 0.75 * ridge ** 8;
    }
    const over: Picture = { height, width, planes: [0.86, 0.93, 1].map((tint) => ice.map((v) => Math.min(1, v * tint))) };
    return blended(picture, over, strength);
  },
});
