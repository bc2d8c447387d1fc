import { type Tensor, toNumbers } from "../../tensor/tensor.js";
import { nodeTitle } from "../check.js";
import { ModelError, type OnnxGraph, type OnnxModel, type OnnxNode } from "../model.js";
import { intOf, ints, textOf, without } from "./conversion.js";
import { withoutUnread } from "./unread.js";

/**
 * Brings a canonical model to opset 17, for tools from before 2023 (Debian 12's onnx is one). What opset 18 added has no older form and
 * is refused.
 */
export function toOpset17(model: OnnxModel): OnnxModel {
  return { ...model, opset: 17, graph: lower(model.graph, []) };
}

function lower(graph: OnnxGraph, outer: readonly OnnxGraph[]): OnnxGraph {
  const scopes = [graph, ...outer];
  const constant = (name: string): Tensor | undefined => {
    const scope = scopes.find(({ initializers }) => initializers.has(name));
    return scope?.inputs.some((input) => input.name === name) ? undefined : scope?.initializers.get(name);
  };
  const nodes = graph.nodes.map((node) => {
    const attributes = Object.entries(node.attributes).map(([name, attribute]) => {
      return [name, attribute.kind === "graph" ? { ...attribute, value: lower(attribute.value, scopes) } : attribute] as const;
    });
    const inner = { ...node, attributes: Object.fromEntries(attributes) };
    return node.domain === "" ? lowerNode(inner, constant) : inner;
  });
  return withoutUnread({ ...graph, nodes });
}

const newIn18 = new Set([
  "BitwiseAnd",
  "BitwiseNot",
  "BitwiseOr",
  "BitwiseXor",
  "CenterCropPad",
  "Col2Im",
  "GroupNormalization",
  "Mish",
]);

function lowerNode(node: OnnxNode, constant: (name: string) => Tensor | undefined): OnnxNode {
  const refuse = (reason: string): never => {
    throw new ModelError(`${nodeTitle(node)} ${reason}, which opset 17 does not have; write the model with opset 18.`);
  };
  if (newIn18.has(node.op)) return refuse("is an operator of opset 18");
  if (node.op.startsWith("Reduce") && node.op !== "ReduceSum") return reduction(node, constant, refuse);
  switch (node.op) {
    case "Split":
      return { ...node, attributes: without(node.attributes, "num_outputs") };
    case "Pad":
      return node.inputs[3] ? refuse("pads named axes") : node;
    case "Resize": {
      const plain = intOf(node, "antialias", 0) === 0 && node.attributes.axes === undefined;
      if (!plain || textOf(node, "keep_aspect_ratio_policy", "stretch") !== "stretch")
        return refuse("is antialiased or resizes named axes");
      return { ...node, attributes: without(node.attributes, "antialias", "keep_aspect_ratio_policy") };
    }
    case "ScatterElements":
    case "ScatterND":
      return ["max", "min"].includes(textOf(node, "reduction", "none")) ? refuse("scatters the largest or smallest") : node;
    case "LpPool":
      return intOf(node, "ceil_mode", 0) === 0 && node.attributes.dilations === undefined
        ? node
        : refuse("pools in ceil mode or dilated");
    default:
      return node;
  }
}

function reduction(node: OnnxNode, constant: (name: string) => Tensor | undefined, refuse: (reason: string) => never): OnnxNode {
  const attributes = without(node.attributes, "noop_with_empty_axes");
  const noop = intOf(node, "noop_with_empty_axes", 0) !== 0;
  const inputs = node.inputs.slice(0, 1);
  if (!node.inputs[1]) return noop ? refuse("reduces no axis") : { ...node, inputs, attributes };
  const axes = constant(node.inputs[1]);
  if (axes === undefined) return refuse("computes its axes");
  if (axes.data.length === 0 && noop) return refuse("reduces no axis");
  return { ...node, inputs, attributes: axes.data.length === 0 ? attributes : { ...attributes, axes: ints(toNumbers(axes)) } };
}
