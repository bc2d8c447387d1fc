/**
 * Published reference values: layer criticality of ResNet-50 in 50 trainings, computed from the raw results released with Gavrikov et al. 2024
 * (arXiv 2410.14470; results under CC BY-SA 4.0): 54 convolutions and the classifier, 3 trials, 10,000 validation images of ImageNet-1k. An
 * entry: layer, mean over the 50 trained models, population standard deviation over them, and the baseline (torchvision's ResNet-50), in percent.
 */
const resnet50: readonly (readonly [layer: string, mean: number, deviation: number, baseline: number])[] = [
  ["conv1", 97.5, 2, 98.6],
  ["layer1.0.conv1", 98.3, 2.9, 98.5],
  ["layer1.0.conv2", 76.3, 22.2, 64.7],
  ["layer1.0.conv3", 84.9, 18.3, 60.6],
  ["layer1.0.downsample.0", 99.4, 0.5, 99.7],
  ["layer1.1.conv1", 67.2, 30.3, 58.5],
  ["layer1.1.conv2", 53.3, 28.6, 20.9],
  ["layer1.1.conv3", 63.8, 29.9, 36.3],
  ["layer1.2.conv1", 72.7, 25, 33.9],
  ["layer1.2.conv2", 52, 29.1, 35.7],
  ["layer1.2.conv3", 70.9, 25.4, 58],
  ["layer2.0.conv1", 97.9, 2.4, 98.7],
  ["layer2.0.conv2", 72.6, 22.3, 82.3],
  ["layer2.0.conv3", 93.5, 10.3, 92.2],
  ["layer2.0.downsample.0", 96, 5.5, 98.5],
  ["layer2.1.conv1", 43.6, 28.2, 13.9],
  ["layer2.1.conv2", 67.9, 23.7, 76.1],
  ["layer2.1.conv3", 57.3, 29.1, 26.8],
  ["layer2.2.conv1", 57.6, 26.7, 41.1],
  ["layer2.2.conv2", 34.4, 23.6, 22.2],
  ["layer2.2.conv3", 66.7, 28.9, 56.8],
  ["layer2.3.conv1", 72, 22.2, 70.7],
  ["layer2.3.conv2", 49.1, 29.8, 42.5],
  ["layer2.3.conv3", 75.3, 24.2, 87.7],
  ["layer3.0.conv1", 98.8, 1.1, 99.5],
  ["layer3.0.conv2", 70.4, 23.9, 74.7],
  ["layer3.0.conv3", 95.2, 11.2, 98.6],
  ["layer3.0.downsample.0", 84.2, 21.2, 92.2],
  ["layer3.1.conv1", 50.5, 28.8, 66],
  ["layer3.1.conv2", 71.3, 25.4, 69.4],
  ["layer3.1.conv3", 61.4, 31.5, 83],
  ["layer3.2.conv1", 60.6, 32.2, 78.2],
  ["layer3.2.conv2", 31.7, 20.6, 31],
  ["layer3.2.conv3", 55.1, 28.8, 47.7],
  ["layer3.3.conv1", 69.7, 31.7, 93.8],
  ["layer3.3.conv2", 36.4, 24.3, 43],
  ["layer3.3.conv3", 52.8, 28.2, 48.6],
  ["layer3.4.conv1", 71, 26, 89.8],
  ["layer3.4.conv2", 37.1, 21.9, 51.8],
  ["layer3.4.conv3", 58.3, 27.6, 69.4],
  ["layer3.5.conv1", 75.7, 24, 91.8],
  ["layer3.5.conv2", 36.5, 23.1, 35.9],
  ["layer3.5.conv3", 66.8, 26.9, 76.8],
  ["layer4.0.conv1", 93.9, 11.3, 98.7],
  ["layer4.0.conv2", 76, 25.5, 91.2],
  ["layer4.0.conv3", 86.3, 21, 92.2],
  ["layer4.0.downsample.0", 74.2, 22.4, 72.1],
  ["layer4.1.conv1", 75.8, 31.3, 93.4],
  ["layer4.1.conv2", 64.2, 28.2, 89.3],
  ["layer4.1.conv3", 70.8, 28, 74.9],
  ["layer4.2.conv1", 82, 29.8, 99.4],
  ["layer4.2.conv2", 69.9, 31.8, 79.4],
  ["layer4.2.conv3", 75.3, 27.6, 77],
  ["fc", 94.8, 1.8, 96],
];

export interface PublishedLayer {
  readonly layer: string;
  readonly mean: number;
  readonly deviation: number;
  readonly baseline: number;
}

export const publishedResnet50: readonly PublishedLayer[] = resnet50.map(([layer, mean, deviation, baseline]) => ({
  layer,
  mean: mean / 100,
  deviation: deviation / 100,
  baseline: baseline / 100,
}));

/**
 * The published values for a network's layers, in their order. Where all names are those of ResNet-50, the values are its own; otherwise the layers
 * are set beside the published ones at the same relative depth, which says how other networks look in general and no more.
 */
export function publishedBand(layers: readonly string[]): {
  readonly match: "by name" | "by depth";
  readonly band: readonly PublishedLayer[];
} {
  const byName = new Map(publishedResnet50.map((p) => [p.layer, p]));
  // names like layer1.0.conv1 are those of smaller ResNets too; only ResNet-50 and its deeper kin have a third convolution in a block
  if (layers.some((name) => name.endsWith(".conv3")) && layers.every((name) => byName.has(name)))
    return { match: "by name", band: layers.map((name) => byName.get(name)!) };
  const last = publishedResnet50.length - 1;
  return {
    match: "by depth",
    band: layers.map((layer, i) => {
      const at = layers.length === 1 ? last : (i / (layers.length - 1)) * last;
      const [low, part] = [Math.floor(at), at - Math.floor(at)];
      const [a, b] = [publishedResnet50[low]!, publishedResnet50[Math.min(last, low + 1)]!];
      const mix = (x: number, y: number) => (1 - part) * x + part * y;
      return {
        layer,
        mean: mix(a.mean, b.mean),
        deviation: mix(a.deviation, b.deviation),
        baseline: mix(a.baseline, b.baseline),
      };
    }),
  };
}
