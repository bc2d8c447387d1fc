import type { Graph, Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import { emit, intsConstant } from "../emit.js";
import { Compress } from "./compress.js";
import { gather } from "./gather.js";
import { gatherElements } from "./gather-elements.js";
import { gatherND } from "./gather-nd.js";
import { OneHot } from "./one-hot.js";
import type { ScatterReduction } from "./scatter.js";
import { scatterElements } from "./scatter-elements.js";
import { scatterND } from "./scatter-nd.js";
import { topK } from "./top-k.js";

const indices = (graph: Graph, shape: readonly number[], values: readonly number[]): Value =>
  graph.constant(tensor("int64", shape, values));

function one(name: string, shape: readonly number[], build: (x: Value, graph: Graph) => Value | readonly Value[]): OperatorCase {
  return { name, operator: name.split(":")[0]!, inputs: { x: { shape } }, build: ({ x }, graph) => build(x!, graph) };
}

/** Distinct values, so that a small step changes no order. */
const spread = (n: number): number[] => Array.from({ length: n }, (_, i) => ((i * 7) % n) * 0.3 - 1);

function scatterElementsCase(reduction: ScatterReduction, places: "distinct" | "repeated", axis: number): OperatorCase {
  return {
    name: `ScatterElements: ${reduction}, ${places}, axis ${axis}`,
    operator: "ScatterElements",
    inputs: { x: { shape: [3, 4], values: spread(12) }, u: { shape: [2, 3], values: [0.45, -0.2, 1.05, -1.3, 2.1, 0.71] } },
    build: ({ x, u }, graph) => {
      const at = places === "distinct" ? [0, 1, 2, -1, 0, 1] : [0, 0, 2, 0, 1, 2];
      return scatterElements(x!, indices(graph, [2, 3], at), u!, axis, reduction);
    },
    step: 1e-3,
    tolerance: 2e-2,
  };
}

function scatterNDCase(reduction: ScatterReduction): OperatorCase {
  return {
    name: `ScatterND: ${reduction}`,
    operator: "ScatterND",
    inputs: {
      x: { shape: [4, 3], values: spread(12) },
      u: { shape: [2, 3], values: [0.45, -0.2, 1.05, -1.3, 2.15, 0.71] },
    },
    build: ({ x, u }, graph) => scatterND(x!, indices(graph, [2, 1], [3, 1]), u!, reduction),
    step: 1e-3,
    tolerance: 2e-2,
  };
}

export const indexingCases: readonly OperatorCase[] = [
  one("Gather: scalar index", [3, 4], (x, graph) => gather(x, indices(graph, [], [-1]), 0)),
  one("Gather: repeated indices, middle axis", [2, 4, 3], (x, graph) => gather(x, indices(graph, [2, 2], [1, 1, -1, 0]), 1)),
  one("Gather: axis 0", [4, 3], (x, graph) => gather(x, indices(graph, [5], [0, 2, 2, 3, 2]))),
  {
    name: "Gather: indices computed at run time",
    operator: "Gather",
    inputs: { x: { shape: [4, 3], values: spread(12) }, s: { shape: [3], values: [0.1, 0.9, 0.4] } },
    build: ({ x, s }) => gather(x!, topK(s!, 2)[1], 1),
  },
  one("GatherElements: last axis", [2, 4], (x, graph) => gatherElements(x, indices(graph, [2, 3], [0, 0, 3, -1, 2, 2]), 1)),
  one("GatherElements: first axis", [3, 3], (x, graph) => gatherElements(x, indices(graph, [2, 2], [0, 2, 1, 2]), 0)),
  one("GatherND: elements", [3, 4], (x, graph) => gatherND(x, indices(graph, [3, 2], [0, 0, 2, -1, 0, 0]))),
  one("GatherND: slices", [3, 4, 2], (x, graph) => gatherND(x, indices(graph, [2, 2, 1], [0, 2, -1, 0]))),
  one("GatherND: batch_dims 1", [2, 4, 3], (x, graph) => gatherND(x, indices(graph, [2, 2, 1], [0, 3, 1, 1]), 1)),
  one("GatherND: batch_dims 2", [2, 2, 3], (x, graph) => gatherND(x, indices(graph, [2, 2, 1], [0, 2, 1, 1]), 2)),
  ...(["none", "add", "mul", "min", "max"] as const).map((r) => scatterElementsCase(r, "distinct", 0)),
  ...(["none", "add", "mul", "min", "max"] as const).map((r) => scatterElementsCase(r, "distinct", -1)),
  ...(["add", "mul", "min", "max"] as const).map((r) => scatterElementsCase(r, "repeated", 0)),
  {
    name: "ScatterElements: mul, repeated, one and two zeros among the factors",
    operator: "ScatterElements",
    inputs: { x: { shape: [3], values: [0.7, -0.4, 0.9] }, u: { shape: [6], values: [0, 0.5, -0.8, 0, 0, 0.6] } },
    build: ({ x, u }, graph) => scatterElements(x!, indices(graph, [6], [0, 0, 1, 2, 2, 2]), u!, 0, "mul"),
  },
  ...(["none", "add", "mul", "min", "max"] as const).map(scatterNDCase),
  {
    name: "OneHot: values, axis 1",
    operator: "OneHot",
    inputs: { values: { shape: [2] } },
    build: ({ values }, graph) =>
      emit(OneHot, [indices(graph, [2, 2], [0, 2, -1, 1]), intsConstant(graph, [3]), values!], { axis: 1 }),
  },
  {
    name: "TopK: largest",
    operator: "TopK",
    inputs: { x: { shape: [3, 5], values: spread(15) } },
    build: ({ x }) => topK(x!, 2, 1)[0],
  },
  {
    name: "TopK: smallest, first axis",
    operator: "TopK",
    inputs: { x: { shape: [5, 2], values: spread(10) } },
    build: ({ x }) => topK(x!, 3, 0, "smallest")[0],
  },
  one("Compress: axis", [3, 4], (x, graph) => emit(Compress, [x, graph.constant(tensor("bool", [3], [0, 1, 1]))], { axis: 1 })),
  one("Compress: a condition longer than the axis", [3, 2], (x, graph) =>
    emit(Compress, [x, graph.constant(tensor("bool", [4], [0, 1, 1, 1]))], { axis: -1 }),
  ),
  one("Compress: flattened", [2, 3], (x, graph) => emit(Compress, [x, graph.constant(tensor("bool", [4], [1, 0, 0, 1]))])),
];
