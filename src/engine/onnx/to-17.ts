import { type Shape, type Tensor, toNumbers } from "../tensor/tensor.js";
import { int64Tensor, intOf, ints, textOf, without } from "./attribute-values.js";
import { nodeTitle } from "./check.js";
import { ModelError, type OnnxGraph, type OnnxModel, type OnnxNode } from "./model.js";
import { type Names, reserveNames } from "./names.js";
import { withoutUnread } from "./unread.js";

/**
 * Brings a canonical model to opset 17, for tools from before 2023 (Debian 12's onnx is one).
 *
 * @throws ModelError where a node uses what opset 18 added and opset 17 cannot say in another way.
 */
export function toOpset17(model: OnnxModel): OnnxModel {
  return { ...model, opset: 17, graph: lower(model.graph, [], reserveNames(model.graph)) };
}

/** The model at the lowest opset, 17 or 18, that can represent it. */
export function toLowestOpset(model: OnnxModel): OnnxModel {
  try {
    return toOpset17(model);
  } catch (error) {
    if (error instanceof ModelError) return model;
    throw error;
  }
}

/** What the conversion of a node may ask of the graphs around it, and add to its own. */
interface Surroundings {
  constant(name: string): Tensor | undefined;
  shape(name: string): Shape | undefined;
  /** Adds an initializer or names a new value, and returns its name. */
  define(hint: string, value?: Tensor): string;
}

function lower(graph: OnnxGraph, outer: readonly OnnxGraph[], taken: Names): OnnxGraph {
  const scopes = [graph, ...outer];
  const initializers = new Map(graph.initializers);
  const inputsAndOutputs = new Map([...graph.outputs, ...graph.inputs].map((info) => [info.name, info]));
  const around: Surroundings = {
    constant: (name) => {
      const scope = scopes.find((g) => g.initializers.has(name));
      return scope?.inputs.some((input) => input.name === name) ? undefined : scope?.initializers.get(name);
    },
    shape: (name) => {
      const shape = (initializers.get(name) ?? graph.valueInfo.get(name) ?? inputsAndOutputs.get(name))?.shape;
      return shape?.every((d) => typeof d === "number") ? (shape as Shape) : undefined;
    },
    define: (hint, value) => {
      const name = taken.fresh(hint);
      if (value) initializers.set(name, value);
      return name;
    },
  };
  const nodes = graph.nodes.flatMap((node) => {
    const attributes = Object.entries(node.attributes).map(([name, attribute]) => {
      return [
        name,
        attribute.kind === "graph" ? { ...attribute, value: lower(attribute.value, scopes, taken) } : attribute,
      ] as const;
    });
    const inner = { ...node, attributes: Object.fromEntries(attributes) };
    return node.domain === "" ? lowerNode(inner, around) : [inner];
  });
  const lowered = withoutUnread({ ...graph, initializers, nodes });
  const readBefore = withoutUnread(graph).initializers;
  const kept = [...initializers].filter(
    ([name]) => lowered.initializers.has(name) || (graph.initializers.has(name) && !readBefore.has(name)),
  );
  return { ...lowered, initializers: new Map(kept) };
}

const newIn18 = new Set(
  (
    "BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im GroupNormalization " +
    // exist before, for values of fewer types
    "OptionalGetElement OptionalHasElement"
  ).split(" "),
);

type Refuse = (reason: string) => never;

function lowerNode(node: OnnxNode, around: Surroundings): readonly OnnxNode[] {
  const refuse: Refuse = (reason) => {
    throw new ModelError(`${nodeTitle(node)} ${reason}, which opset 17 does not have; write the model with opset 18.`);
  };
  if (newIn18.has(node.op)) return refuse("is an operator of opset 18, or takes what it takes since then");
  if (node.op.startsWith("Reduce") && node.op !== "ReduceSum") return [reduction(node, around, refuse)];
  switch (node.op) {
    case "Mish":
      return mish(node, around);
    case "Split":
      return [split(node, around, refuse)];
    case "Pad":
      return [node.inputs[3] ? padAllAxes(node, node.inputs[3], around, refuse) : node];
    case "Resize": {
      const plain = intOf(node, "antialias", 0) === 0 && node.attributes.axes === undefined;
      if (!plain || textOf(node, "keep_aspect_ratio_policy", "stretch") !== "stretch")
        return refuse("is antialiased or resizes named axes");
      return [{ ...node, attributes: without(node.attributes, "antialias", "keep_aspect_ratio_policy") }];
    }
    case "ScatterElements":
    case "ScatterND":
      return ["max", "min"].includes(textOf(node, "reduction", "none")) ? refuse("scatters the largest or smallest") : [node];
    case "LpPool":
      return intOf(node, "ceil_mode", 0) === 0 && node.attributes.dilations === undefined
        ? [node]
        : refuse("pools in ceil mode or dilated");
    default:
      return [node];
  }
}

/** x · tanh(softplus(x)). */
function mish(node: OnnxNode, around: Surroundings): readonly OnnxNode[] {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const inner = (op: string, input: string): OnnxNode => ({
    ...node,
    name: "",
    op,
    inputs: [input],
    outputs: [around.define(`${y}/${op}`)],
  });
  const softplus = inner("Softplus", x);
  const tanh = inner("Tanh", softplus.outputs[0]!);
  return [softplus, tanh, { ...node, op: "Mul", inputs: [x, tanh.outputs[0]!] }];
}

/** Opset 17 splits into parts of one size, or of sizes that are listed. */
function split(node: OnnxNode, around: Surroundings, refuse: Refuse): OnnxNode {
  const count = node.attributes.num_outputs && intOf(node, "num_outputs", 0);
  if (count === undefined) return node;
  if (count !== node.outputs.length) return refuse(`splits into ${count} parts for ${node.outputs.length} outputs`);
  const plain = { ...node, attributes: without(node.attributes, "num_outputs") };
  const shape = around.shape(node.inputs[0]!);
  if (!shape) return refuse("splits an axis of unknown size into a number of parts that may be unequal");
  const axis = intOf(node, "axis", 0);
  const size = shape[axis < 0 ? axis + shape.length : axis] ?? refuse(`splits axis ${axis} of ${shape.length}`);
  if (size % count === 0) return plain;
  const part = Math.ceil(size / count);
  const parts = Array.from({ length: count }, (_, i) => Math.min(part, size - i * part));
  return { ...plain, inputs: [node.inputs[0]!, around.define(`${node.outputs[0]}/split`, int64Tensor([count], parts))] };
}

function padAllAxes(node: OnnxNode, axesName: string, around: Surroundings, refuse: Refuse): OnnxNode {
  const [axes, pads, shape] = [around.constant(axesName), around.constant(node.inputs[1]!), around.shape(node.inputs[0]!)];
  if (!axes || !pads || !shape) return refuse("pads named axes");
  const all = new Array<number>(2 * shape.length).fill(0);
  const sizes = toNumbers(pads);
  const padded = toNumbers(axes).map((axis) => (axis < 0 ? axis + shape.length : axis));
  if (sizes.length !== 2 * padded.length || !padded.every((axis) => axis in shape)) {
    return refuse(`has ${sizes.length} pads for the axes ${toNumbers(axes).join(", ")} of ${shape.length}`);
  }
  padded.forEach((axis, i) => {
    all[axis] = sizes[i]!;
    all[axis + shape.length] = sizes[i + padded.length]!;
  });
  const inputs = [
    node.inputs[0]!,
    around.define(`${node.outputs[0]}/pads`, int64Tensor([all.length], all)),
    node.inputs[2] ?? "",
  ];
  return { ...node, inputs: inputs[2] === "" ? inputs.slice(0, 2) : inputs };
}

function reduction(node: OnnxNode, around: Surroundings, refuse: Refuse): OnnxNode {
  const attributes = without(node.attributes, "noop_with_empty_axes");
  const noop = intOf(node, "noop_with_empty_axes", 0) !== 0;
  const inputs = node.inputs.slice(0, 1);
  if (!node.inputs[1]) return noop ? refuse("reduces no axis") : { ...node, inputs, attributes };
  const axes = around.constant(node.inputs[1]);
  if (axes === undefined) return refuse("computes its axes");
  if (axes.data.length === 0 && noop) return refuse("reduces no axis");
  return { ...node, inputs, attributes: axes.data.length === 0 ? attributes : { ...attributes, axes: ints(toNumbers(axes)) } };
}
