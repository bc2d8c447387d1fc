import { Graph } from "../../../engine/graph/graph.js";
import type { OnnxModel } from "../../../engine/onnx/model.js";
import { conv, matMul, reduceMean, relu } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";

export const classes = 5;

/**
 * Two convolutions, a mean and a linear layer for images of any size; its nodes are named as PyTorch's exporter names them.
 *
 * @param bias of the first convolution; a very low one closes every ReLU behind it, and all gradients are 0.
 */
export function smallClassifier(batch: number | "N" = "N", bias = 0.1): OnnxModel {
  const random = new Random(3, "small classifier");
  const graph = new Graph();
  const weight = (shape: Shape, scale: number) =>
    graph.constant(
      tensor(
        "float32",
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => random.normal(0, scale)),
      ),
    );
  const x = graph.input("image", "float32", [1, 3, 8, 8]);
  const pads = { pads: [1, 1, 1, 1] };
  const first = relu(
    conv(x, weight([6, 3, 3, 3], 0.5), { ...pads, bias: graph.constant(tensor("float32", [6], new Array(6).fill(bias))) }),
  );
  const second = relu(conv(first, weight([6, 6, 3, 3], 0.4), pads));
  graph.output("logits", matMul(reduceMean(second, [2, 3], "drop"), weight([6, classes], 2)));
  const model = graph.build();
  const names = [
    "/layer1/layer1.0/conv/Conv",
    "/layer1/layer1.0/relu/Relu",
    "/layer1/layer1.1/conv/Conv",
    "/layer1/layer1.1/relu/Relu",
  ];
  return {
    ...model,
    graph: {
      ...model.graph,
      inputs: [{ name: "image", type: "float32", shape: [batch, 3, "H", "W"] }],
      outputs: [{ name: "logits", type: "float32", shape: [batch, classes] }],
      nodes: model.graph.nodes.map((node, i) => ({ ...node, name: names[i] ?? node.name })),
      valueInfo: new Map(),
    },
  };
}

/** Random images in [0.1, 0.9], so that differences stay within [0, 1]. */
export function someImages(count: number, height = 8, width = 8): Tensor<"float32"> {
  const random = new Random(4, "some images");
  const shape = [count, 3, height, width];
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(0.1, 0.9)),
  );
}
