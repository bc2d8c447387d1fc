import type { Value } from "../graph/graph.js";
import type { OnnxNode } from "../onnx/model.js";
import { dataTypeOf } from "../onnx/tensor-data.js";
import { sameShape, sizeOf, tensor, toNumbers } from "../tensor/tensor.js";
import { inlineIf, unrollLoop, unrollScan } from "./control-flow.js";
import type { Scope, StaticGraph } from "./static-graph.js";

/** Adds a graph or subgraph: its initializers, then its nodes, each simplified on the way. Its inputs must be in the scope already. */
export async function addGraph(into: StaticGraph, scope: Scope): Promise<void> {
  for (const [name, t] of scope.graph.initializers) {
    scope.values.set(name, into.initializer(name, t, scope.graph.constants?.has(name) ? "constant" : "weight"));
  }
  for (const node of scope.graph.nodes) {
    into.count(node);
    const outputs = (await simplified(into, node, scope)) ?? (await into.add(node, scope));
    node.outputs.forEach((name, i) => {
      if (name !== "") scope.values.set(name, outputs[i]!);
    });
  }
}

/** The outputs of a node that needs no node of its own; undefined where it stays. */
async function simplified(into: StaticGraph, node: OnnxNode, scope: Scope): Promise<readonly Value[] | undefined> {
  if (node.domain !== "") return undefined;
  const operand = (i: number): Value | undefined => (node.inputs[i] ? into.resolve(scope.find(node.inputs[i])) : undefined);
  const attribute = (name: string): unknown => node.attributes[name]?.value;
  const x = operand(0);
  switch (node.op) {
    case "If":
      return inlineIf(into, node, scope);
    case "Loop":
      return unrollLoop(into, node, scope);
    case "Scan":
      return unrollScan(into, node, scope);
    case "Shape": {
      if (!x) return undefined;
      const shape = x.shape.slice(attribute("start") as number | undefined, attribute("end") as number | undefined);
      return [into.constant(tensor("int64", [shape.length], shape))];
    }
    case "Size":
      return x && [into.constant(tensor("int64", [], [sizeOf(x.shape)]))];
    case "Identity":
      return x && [x];
    case "Cast":
      return x && dataTypeOf(attribute("to") as number) === x.type ? [x] : undefined;
    case "Dropout": {
      // exporters write training mode with ratio 0 for functional dropout in evaluation
      const number = async (v: Value) => (await into.tensorOf(v).then((t) => t && toNumbers(t)[0])) ?? Number.NaN;
      const [ratio, training] = [operand(1), operand(2)];
      const idle = !training || (await number(training)) === 0 || (ratio !== undefined && (await number(ratio)) === 0);
      if (!x || !idle) return undefined;
      return node.outputs[1] ? [x, await allTrue(into, x, node.outputs[1])] : [x];
    }
    case "Reshape":
    case "Expand":
    case "Flatten":
    case "Squeeze":
    case "Unsqueeze":
    case "Tile": {
      const outputs = await into.add(node, scope);
      return x && sameShape(outputs[0]!.shape, x.shape) ? [x] : outputs;
    }
    default:
      return undefined;
  }
}

/** The mask of a Dropout that drops nothing. */
async function allTrue(into: StaticGraph, like: Value, name: string): Promise<Value> {
  const shape = into.constant(tensor("int64", [like.shape.length], like.shape));
  const attributes = { value: { kind: "tensor", value: tensor("bool", [1], [1]) } } as const;
  const node = { name: "", op: "ConstantOfShape", domain: "", inputs: [""], outputs: [name], attributes };
  return (await into.addNode(node, [shape]))[0]!;
}
