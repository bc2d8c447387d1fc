import type { Random } from "../../tensor/random.js";
import { allocate, type DataType, isFloat, sizeOf, type Tensor, tensor } from "../../tensor/tensor.js";
import type { Attribute, OnnxGraph, OnnxModel, OnnxNode } from "../model.js";

/** For tests: models of a few nodes, written as one would say them. */
export interface SmallModel {
  readonly opset: number;
  readonly inputs: Readonly<Record<string, readonly [DataType, readonly (number | string)[]]>>;
  readonly outputs: Readonly<Record<string, DataType>>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers?: Readonly<Record<string, Tensor>>;
}

/** Names are separated by spaces; "-" marks one left out. */
export function node(op: string, inputs: string, outputs: string, attributes: Record<string, Attribute> = {}): OnnxNode {
  const names = (list: string) =>
    list
      .split(" ")
      .filter(Boolean)
      .map((name) => (name === "-" ? "" : name));
  const [domain, type] = op.includes(".") ? [op.slice(0, op.lastIndexOf(".")), op.slice(op.lastIndexOf(".") + 1)] : ["", op];
  return { name: `${type} node`, op: type, domain, inputs: names(inputs), outputs: names(outputs), attributes };
}

export function smallGraph({ inputs, outputs, nodes, initializers = {} }: Omit<SmallModel, "opset">): OnnxGraph {
  return {
    name: "small",
    inputs: Object.entries(inputs).map(([name, [type, shape]]) => ({ name, type, shape })),
    outputs: Object.entries(outputs).map(([name, type]) => ({ name, type, shape: undefined })),
    initializers: new Map(Object.entries(initializers)),
    nodes,
    valueInfo: new Map(),
  };
}

export function smallModel(small: SmallModel): OnnxModel {
  const custom = small.nodes.some(({ domain }) => domain === "com.microsoft") ? { "com.microsoft": 1 } : {};
  return { irVersion: 8, opset: small.opset, customOpsets: custom, producer: "test", graph: smallGraph(small), metadata: {} };
}

/** Random feeds for a model's inputs: floats of [-2, 2], 64-bit integers 0 and 1 (they are indices mostly), others to 100; symbolic axes of 2. */
export function feedsOf(model: OnnxModel, random: Random): Record<string, Tensor> {
  return Object.fromEntries(
    model.graph.inputs.map(({ name, type, shape }) => {
      const fixed = (shape ?? []).map((d) => (typeof d === "number" ? d : 2));
      const values = Array.from(allocate("float64", sizeOf(fixed)), () => random.uniform());
      const scaled = values.map((u) =>
        isFloat(type) ? 4 * u - 2 : Math.floor(u * (type === "bool" || type === "int64" ? 2 : 101)),
      );
      return [name, tensor(type, fixed, scaled)];
    }),
  );
}
