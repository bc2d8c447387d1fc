import { adamw, Batches, type Engine, nn, syntheticDataset, Trainer, trainingLoss } from "../src/index.js";
import { gatedNetwork } from "./new-network.js";

/** Trains it to sharpen synthetic pictures; gives the loss of each step and the network as an ONNX model. */
export async function trainGatedNetwork(engine: Engine, steps: number) {
  const network = gatedNetwork(12, 2);
  const loss = trainingLoss("restoration", "l1");
  const scenes = syntheticDataset({ task: "restoration", size: 48, length: 16, seed: 1, displacement: 0.2 });
  const batches = new Batches(scenes, loss, { size: 4, seed: 0, inputs: ["image"], augmentation: { crop: [32, 32] } });
  const trainer = await Trainer.create(engine, {
    network,
    loss,
    optimizer: adamw(),
    learningRate: 3e-3,
    groups: [{ of: ["*.bias", "*.scale", "*.norm.weight"], weightDecay: 0 }],
    inputs: { image: [4, 3, 32, 32] },
    seed: 0,
  });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await trainer.step([await batches.batch(step)])).loss);
  const { network: weights } = await trainer.state();
  trainer.dispose();
  return { losses, model: nn.networkModel(network, weights, { image: [1, 3, 48, 48] }) };
}
