import { namesRead, nodeTitle } from "../onnx/check.js";
import { ModelError, type OnnxModel, type OnnxNode } from "../onnx/model.js";
import { findOperator } from "../operators/index.js";
import { type DataType, describe } from "../tensor/tensor.js";
import { type Graph, GraphError, type Value, type ValueType } from "./graph.js";
import { type Operator, opaqueOperator } from "./operator.js";

/** A model that has become part of a graph. */
export interface Embedded {
  /** The model's outputs, by name. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Every value of the model by its name in the file: inputs, weights, inner values, outputs. */
  readonly values: ReadonlyMap<string, Value>;
}

/**
 * Adds a specialised model to a graph: its inputs become the given values, its nodes are added, and its outputs are returned. This is how
 * preprocessing, losses and several models are put together.
 *
 * @param inputs a value for each input of the model; names of initializers may be given too and replace the stored weights (training).
 * @throws GraphError when an input is missing or misfits, ModelError when the model is not specialised (a symbolic or unknown shape).
 * @example
 * const x = graph.input("image", "float32", [1, 3, 224, 224]);
 * const { outputs } = embed(graph, await specialise(model, ...), { input: div(sub(x, mean), std) });
 */
export function embed(graph: Graph, model: OnnxModel, inputs: Readonly<Record<string, Value>>): Embedded {
  const values = new Map<string, Value>();
  const known = new Set([...model.graph.inputs.map((i) => i.name), ...model.graph.initializers.keys()]);
  for (const name of Object.keys(inputs)) {
    if (!known.has(name))
      throw new GraphError(
        `The model has no input "${name}"; its inputs are ${model.graph.inputs.map((i) => i.name).join(", ")}.`,
      );
  }
  for (const [name, t] of model.graph.initializers) {
    const given = inputs[name];
    if (given) checkFits(given, name, t.type, t.shape);
    values.set(name, given ?? graph.constant(t, name));
  }
  for (const info of model.graph.inputs) {
    if (values.has(info.name)) continue;
    const given = inputs[info.name];
    if (!given) throw new GraphError(`No value was given for the model's input "${info.name}".`);
    checkFits(given, info.name, info.type, info.shape);
    values.set(info.name, given);
  }
  for (const node of model.graph.nodes) {
    const operands = node.inputs.map((name) => (name === "" ? undefined : lookUp(values, name, node)));
    const operator = operatorOf(node, model);
    const added = graph.add(operator, operands, attributesOf(node), {
      outputCount: node.outputs.length,
      outputNames: node.outputs,
      name: node.name,
    });
    node.outputs.forEach((name, i) => {
      if (name !== "") values.set(name, added[i]!);
    });
  }
  const outputs = Object.fromEntries(model.graph.outputs.map(({ name }) => [name, lookUp(values, name, undefined)]));
  return { outputs, values };
}

/** Plain attribute values of a file's node, as operators take them. */
export function attributesOf(node: OnnxNode): Record<string, unknown> {
  return Object.fromEntries(Object.entries(node.attributes).map(([name, a]) => [name, a.value]));
}

function operatorOf(node: OnnxNode, model: OnnxModel): Operator {
  const known = findOperator(node.op, node.domain === "ai.onnx" ? "" : node.domain);
  if (known) return known;
  const captured = namesRead({ ...node, inputs: [] });
  if (captured.length > 0) {
    throw new ModelError(
      `${nodeTitle(node)} is decided at run time and its branches read "${captured[0]}" from outside, which a graph cannot carry; export the model without run-time control flow.`,
    );
  }
  const types = node.outputs.map((name) => staticType(model, name, node));
  const schema = Object.fromEntries(Object.entries(node.attributes).map(([name, { kind }]) => [name, { kind }]));
  return opaqueOperator(node.op, node.domain, schema, types);
}

function staticType(model: OnnxModel, name: string, node: OnnxNode): ValueType {
  if (name === "") return { type: "float32", shape: [] };
  const info = model.graph.valueInfo.get(name) ?? model.graph.outputs.find((o) => o.name === name);
  if (!info?.shape?.every((d): d is number => typeof d === "number")) {
    throw new ModelError(
      `${node.op} "${node.name || name}": the shape of its output "${name}" is unknown; specialise the model first.`,
    );
  }
  return { type: info.type, shape: info.shape };
}

function lookUp(values: ReadonlyMap<string, Value>, name: string, node: OnnxNode | undefined): Value {
  const value = values.get(name);
  if (!value)
    throw new ModelError(
      `${node ? `${node.op} "${node.name}"` : "The model's output list"} refers to "${name}", which nothing in the model computes.`,
    );
  return value;
}

function checkFits(value: Value, name: string, type: DataType, shape: readonly (number | string)[] | undefined): void {
  const fits =
    shape === undefined ||
    (shape.length === value.shape.length && shape.every((d, i) => typeof d === "string" || d === value.shape[i]));
  if (type !== value.type || !fits) {
    throw new GraphError(
      `The model's input "${name}" is ${type}[${shape?.join(", ") ?? "?"}], but ${describe(value)} was given.`,
    );
  }
}
