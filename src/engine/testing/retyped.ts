import { neededNodes } from "../graph/copy.js";
import { Graph, type Value } from "../graph/graph.js";
import { nodeLabel } from "../graph/operator.js";
import { elementTypes } from "../onnx/schema.js";
import { dataTypeOf } from "../onnx/tensor-data.js";
import { type DataType, type FloatType, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";

/** Attributes that say an element type. */
const typeAttributes = new Set(["to", "dtype", "output_datatype"]);

/** Operands that stay float32 whatever the others are, by the specification. */
export const alwaysFloat32 = new Set(["scales?"]);

/**
 * A graph with another floating-point type in the place of one, as converters of models write it: same nodes, same names, in branches and loops too.
 *
 * @throws Error where a body is the file's own, in which types depend on data.
 */
export function retyped(
  source: Graph,
  type: FloatType,
  from: FloatType = "float32",
): { readonly graph: Graph; readonly moved: ReadonlyMap<Value, Value> } {
  const graph = new Graph();
  const moved = new Map<Value, Value>();
  const typeOf = (t: DataType): DataType => (t === from ? type : t);
  for (const v of source.inputs) moved.set(v, graph.input(v.name, typeOf(v.type), v.shape));
  for (const node of neededNodes(source.outputs.values())) {
    const inputs = node.inputs.map((v, i) => {
      if (!v?.constant) return v && moved.get(v);
      return graph.constant(alwaysFloat32.has(node.operator.inputs[i] ?? "") ? v.constant : inType(v.constant, typeOf(v.type)));
    });
    const attributes = Object.fromEntries(
      Object.entries(node.attributes).map(([name, value]) => {
        if (value instanceof Graph) return [name, retyped(value, type, from).graph];
        if (node.operator.attributes[name]!.kind === "graph") throw new Error(`${nodeLabel(node)}: its ${name} is not followed.`);
        if (typeAttributes.has(name)) return [name, elementTypes.indexOf(typeOf(dataTypeOf(value as number)!))];
        if (node.operator.attributes[name]!.kind !== "tensor") return [name, value];
        return [name, inType(value as Tensor, typeOf((value as Tensor).type))];
      }),
    );
    // What a node with bodies yields is stated, not inferred.
    const holdsBodies = Object.values(node.attributes).some((value) => value instanceof Graph);
    const types = node.outputs.map((v) => ({ type: typeOf(v.type), shape: v.shape }));
    const operator = holdsBodies ? { ...node.operator, infer: () => types } : node.operator;
    const { name, captures, outputs } = node;
    const added = graph.add(operator, inputs, attributes, { name, captures, outputCount: outputs.length });
    node.outputs.forEach((v, i) => {
      moved.set(v, added[i]!);
    });
  }
  for (const [name, v] of source.outputs) graph.output(name, moved.get(v) ?? graph.constant(inType(v.constant!, typeOf(v.type))));
  return { graph, moved };
}

/** The same numbers in another type, rounded to it. */
export const inType = <T extends DataType>(t: Tensor, type: T): Tensor<T> =>
  (t.type === type ? t : tensor(type, t.shape, toNumbers(t))) as Tensor<T>;
