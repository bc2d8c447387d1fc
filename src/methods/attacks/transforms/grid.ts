import type { Graph, Value } from "../../../engine/graph/graph.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";

/** One tensor for each graph and size: a graph holds a tensor once, however many draws use it. */
const made = new WeakMap<Graph, Map<string, Tensor>>();

/** The grid [1, H, W, 2] at which `gridSample` (half-pixel coordinates) gives an image back: pixel centers, from -1 to 1 across the image. */
export function identityGrid(graph: Graph, height: number, width: number): Value {
  const ofGraph = made.get(graph) ?? new Map<string, Tensor>();
  made.set(graph, ofGraph);
  const grid = ofGraph.get(`${height} ${width}`) ?? pixelCenters(height, width);
  ofGraph.set(`${height} ${width}`, grid);
  return graph.constant(grid);
}

function pixelCenters(height: number, width: number): Tensor {
  const grid = tensor("float32", [1, height, width, 2]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      grid.data[2 * (y * width + x)] = (2 * x + 1) / width - 1;
      grid.data[2 * (y * width + x) + 1] = (2 * y + 1) / height - 1;
    }
  }
  return grid;
}
