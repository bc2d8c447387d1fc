import { clip, defineCorruption } from "../corruption.js";
import { withValue } from "../parts/hsv.js";

/** Adds to the value of HSV. */
export const brightness = defineCorruption({
  name: "brightness",
  family: "weather",
  summary: "more daylight",
  strengths: [0.1, 0.2, 0.3, 0.4, 0.5],
  apply: (picture, amount) => withValue(picture, (value) => clip(value + amount)),
});
