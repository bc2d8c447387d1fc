import { Bernoulli } from "./bernoulli.js";
import { BlackmanWindow } from "./blackman-window.js";
import { Constant } from "./constant.js";
import { ConstantOfShape } from "./constant-of-shape.js";
import { EyeLike } from "./eye-like.js";
import { HammingWindow } from "./hamming-window.js";
import { HannWindow } from "./hann-window.js";
import { Multinomial } from "./multinomial.js";
import { RandomNormal } from "./random-normal.js";
import { RandomNormalLike } from "./random-normal-like.js";
import { RandomUniform } from "./random-uniform.js";
import { RandomUniformLike } from "./random-uniform-like.js";
import { Range } from "./range.js";

export { bernoulli } from "./bernoulli.js";
export { randomNormalLike } from "./random-normal-like.js";
export { randomUniformLike } from "./random-uniform-like.js";

export const generatorOperators = {
  Bernoulli,
  BlackmanWindow,
  Constant,
  ConstantOfShape,
  EyeLike,
  HammingWindow,
  HannWindow,
  Multinomial,
  RandomNormal,
  RandomNormalLike,
  RandomUniform,
  RandomUniformLike,
  Range,
};
