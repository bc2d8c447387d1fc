import { CenterCropPad } from "./center-crop-pad.js";
import { Col2Im } from "./col2im.js";
import { Concat } from "./concat.js";
import { DepthToSpace } from "./depth-to-space.js";
import { Dropout } from "./dropout.js";
import { Expand } from "./expand.js";
import { Flatten } from "./flatten.js";
import { Identity } from "./identity.js";
import { Pad } from "./pad.js";
import { Reshape } from "./reshape.js";
import { ReverseSequence } from "./reverse-sequence.js";
import { Shape } from "./shape.js";
import { Size } from "./size.js";
import { Slice } from "./slice.js";
import { SpaceToDepth } from "./space-to-depth.js";
import { Split } from "./split.js";
import { Squeeze } from "./squeeze.js";
import { Tile } from "./tile.js";
import { Transpose } from "./transpose.js";
import { Trilu } from "./trilu.js";
import { Unsqueeze } from "./unsqueeze.js";

export { centerCropPad } from "./center-crop-pad.js";
export { concat } from "./concat.js";
export { type DepthOrder, depthToSpace } from "./depth-to-space.js";
export { expand } from "./expand.js";
export { flatten } from "./flatten.js";
export { identity } from "./identity.js";
export { type PadMode, pad } from "./pad.js";
export { pixelShuffle, pixelUnshuffle } from "./pixel-shuffle.js";
export { reshape } from "./reshape.js";
export { reverseSequence } from "./reverse-sequence.js";
export { slice } from "./slice.js";
export { spaceToDepth } from "./space-to-depth.js";
export { split } from "./split.js";
export { squeeze } from "./squeeze.js";
export { tile } from "./tile.js";
export { transpose } from "./transpose.js";
export { type Triangle, trilu } from "./trilu.js";
export { unsqueeze } from "./unsqueeze.js";

export const layoutOperators = {
  CenterCropPad,
  Col2Im,
  Concat,
  DepthToSpace,
  Dropout,
  Expand,
  Flatten,
  Identity,
  Pad,
  Reshape,
  ReverseSequence,
  Shape,
  Size,
  Slice,
  SpaceToDepth,
  Split,
  Squeeze,
  Tile,
  Transpose,
  Trilu,
  Unsqueeze,
};
