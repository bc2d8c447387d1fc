const streets = { kind: "streets", height: 32, width: 64, seed: 1 };

/** The configuration of a sensor that is trained in a second. */
export const smallSensor = {
  task: "segmentation",
  sensor: { layout: "curvilinear", height: 6, width: 10, integration: { kind: "samples", count: 4 }, learningRate: 0.05 },
  network: { family: "unet", width: 2, levels: 1, outputChannels: 8, normalization: "batch", output: "plain" },
  data: { ...streets, length: 6 },
  batch: 2,
  steps: 5,
  record: 2,
  optimizer: { name: "adamw", learningRate: 0.01 },
  evaluation: { data: { ...streets, length: 2, seed: 2 }, every: 3 },
};
