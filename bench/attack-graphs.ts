import { gradients } from "../src/engine/autodiff/gradients.js";
import { embed } from "../src/engine/graph/embed.js";
import { Graph } from "../src/engine/graph/graph.js";
import { reduceMean } from "../src/engine/operators/index.js";
import type { AttackedModel } from "../src/methods/attacks/attacked-model.js";
import { type TaskName, tasks } from "../src/vision/tasks/index.js";
import { type BenchNetwork, forwardGraph } from "./networks/index.js";

/** What a network's output is taken for; with random weights any reading does. */
const taskOf: Readonly<Record<string, TaskName>> = {
  "U-Net base 32": "segmentation",
  "DeepLabV3-R18": "segmentation",
  "NAFNet w32": "restoration",
  "small Restormer": "restoration",
  "flow by warping": "flow",
};

/** A network of the bench as a place to attack, with images in [0, 1]. */
export function attackedNetwork(network: BenchNetwork): { model: Graph; task: TaskName; attacked: AttackedModel } {
  const model = forwardGraph(network);
  const task = taskOf[network.name] ?? "classification";
  const predictor: AttackedModel["predictor"] = {
    images: { image: network.input },
    predict: (graph, images) => embed(graph, model, { x: images.image! }).outputs.y!,
  };
  return { model, task, attacked: { predictor, task: tasks[task] } };
}

/** The plain loss and its gradient by the image. */
export function gradientGraph({ predictor, task }: AttackedModel): Graph {
  const graph = new Graph();
  const x = graph.input("x", "float32", predictor.images.image!);
  const prediction = predictor.predict(graph, { image: x });
  const { type, shape } = task.target(prediction);
  const perPixel = Object.values(task.losses)[0]!(prediction, graph.input("target", type, shape), { ignore: [], scale: 1 });
  const loss = reduceMean(perPixel);
  graph.output("loss", loss);
  graph.output("dx", gradients(loss, [x])[0]!);
  return graph;
}
