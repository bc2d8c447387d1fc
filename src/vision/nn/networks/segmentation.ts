import type { Value } from "../../../engine/graph/graph.js";
import { concat, expand, reduceMean, relu } from "../../../engine/operators/index.js";
import { batchNorm2d } from "../layers/batch-norm.js";
import { type Conv2dOptions, channels, conv2d } from "../layers/convolution.js";
import { spatial } from "../layers/padding.js";
import { adaptiveAveragePool2d } from "../layers/pooling.js";
import { resizeBilinear } from "../layers/resize.js";
import type { ImageNetwork } from "../model.js";
import type { Scope } from "../scope.js";
import { type ResnetBackbone, resnetStages } from "./resnet.js";

/** A segmentation head on a dilated ResNet (stride 8). */
export interface SegmentationConfiguration extends ImageNetwork {
  readonly family: "segmentation";
  readonly backbone: ResnetBackbone;
  readonly head: "deeplabv3" | "pspnet";
  /** Channels of the head; default 256 for DeepLabV3 and 512 for PSPNet, as published. */
  readonly headWidth?: number;
  readonly classes: number;
}

/**
 * Logits [N, classes, H, W] of normalized images [N, 3, H, W], bilinearly enlarged from an eighth of the size (corners aligned for PSPNet,
 * as published). Auxiliary classifiers serve training alone and are left out; drop their tensors (`aux_classifier.*`) from a checkpoint.
 */
export function segmentationNetwork(
  p: Scope,
  image: Value,
  { backbone, head, headWidth, classes }: SegmentationConfiguration,
): Value {
  const features = resnetStages(p.at("backbone"), image, backbone, { dilateFrom: 2 }).at(-1)!;
  const logits =
    head === "deeplabv3"
      ? deeplabHead(p.at("classifier"), features, headWidth ?? 256, classes)
      : pspHead(p, features, headWidth ?? 512, classes);
  return resizeBilinear(logits, spatial(image), head === "pspnet" ? "corners" : "half-pixel");
}

/**
 * DeepLabV3 (Chen et al. 2017, arXiv 1706.05587), torchvision's names: pixel-wise, three dilated and one image-wide branch, joined. Dropout
 * is left out: it is the identity in evaluation.
 */
export function deeplabHead(p: Scope, x: Value, width: number, classes: number): Value {
  const aspp = p.at(0);
  const branch = (index: number, options: Partial<Conv2dOptions> = {}) =>
    convBnRelu(aspp.at("convs", index, 0), aspp.at("convs", index, 1), x, { out: width, ...options });
  const dilated = [12, 24, 36].map((dilation, i) => branch(i + 1, { kernel: 3, dilation }));
  const pooled = convBnRelu(aspp.at("convs", 4, 1), aspp.at("convs", 4, 2), reduceMean(x, [2, 3], "keep"), { out: width });
  const wide = expand(pooled, [pooled.shape[0]!, width, ...spatial(x)]);
  const joined = convBnRelu(aspp.at("project", 0), aspp.at("project", 1), concat([branch(0), ...dilated, wide], 1), {
    out: width,
  });
  return conv2d(p.at(4), convBnRelu(p.at(1), p.at(2), joined, { out: width, kernel: 3 }), { out: classes });
}

/** Pyramid pooling (Zhao et al. 2017, arXiv 1612.01105) with the names of hszhao/semseg: means over 1, 4, 9 and 36 regions beside x. */
export function pspHead(p: Scope, x: Value, width: number, classes: number): Value {
  const bins = [1, 2, 3, 6];
  const pyramid = bins.map((count, i) => {
    const level = p.at("ppm", "features", i);
    const options = { out: channels(x) / bins.length };
    return resizeBilinear(convBnRelu(level.at(1), level.at(2), adaptiveAveragePool2d(x, count), options), spatial(x), "corners");
  });
  const joined = convBnRelu(p.at("cls", 0), p.at("cls", 1), concat([x, ...pyramid], 1), { out: width, kernel: 3 });
  return conv2d(p.at("cls", 4), joined, { out: classes });
}

function convBnRelu(conv: Scope, bn: Scope, x: Value, options: Conv2dOptions): Value {
  return relu(batchNorm2d(bn, conv2d(conv, x, { ...options, bias: "none" })));
}
