import { defineCorruption } from "../corruption.js";
import { plasma } from "../parts/plasma.js";

/** A plasma fractal that is added, and the whole brought back to the picture's own brightest value; strengths are how thick and how rough. */
export const fog = defineCorruption({
  name: "fog",
  family: "weather",
  summary: "fog in clouds",
  strengths: [
    { thickness: 1.5, decay: 2 },
    { thickness: 2, decay: 2 },
    { thickness: 2.5, decay: 1.7 },
    { thickness: 2.5, decay: 1.5 },
    { thickness: 3, decay: 1.4 },
  ],
  apply: (picture, { thickness, decay }, random) => {
    const { height, width, planes } = picture;
    const side = 2 ** Math.ceil(Math.log2(Math.max(height, width)));
    const cloud = plasma(side, decay, random);
    const brightest = planes.reduce((most, plane) => plane.reduce((a, b) => Math.max(a, b), most), 0);
    return {
      ...picture,
      planes: planes.map((plane) =>
        plane.map((v, i) => {
          const at = Math.floor(i / width) * side + (i % width);
          return ((v + thickness * cloud[at]!) * brightest) / (brightest + thickness);
        }),
      ),
    };
  },
});
