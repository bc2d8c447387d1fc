import { defineCorruption } from "../corruption.js";
import { motionBlur as smeared } from "../parts/motion.js";

/** A camera that moves, in a direction that is drawn between -45 and 45 degrees; strengths are the smear's radius and deviation in pixels. */
export const motionBlur = defineCorruption({
  name: "motion_blur",
  family: "blur",
  summary: "a camera that moves",
  strengths: [
    { radius: 10, sigma: 3 },
    { radius: 15, sigma: 5 },
    { radius: 15, sigma: 8 },
    { radius: 15, sigma: 12 },
    { radius: 20, sigma: 15 },
  ],
  apply: (picture, strength, random) => {
    const angle = random.uniform(-45, 45);
    return {
      ...picture,
      planes: picture.planes.map((plane) => smeared(plane, picture.height, picture.width, { ...strength, angle })),
    };
  },
});
