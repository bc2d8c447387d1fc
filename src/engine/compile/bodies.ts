import { type Graph, GraphError, type Value, type ValueType } from "../graph/graph.js";
import { isComposite } from "../graph/operator.js";
import { namesRead, nodeTitle, subgraphs } from "../onnx/check.js";
import { canonicalOpset, ModelError, type OnnxGraph, type OnnxNode } from "../onnx/model.js";
import { findOperator } from "../operators/index.js";
import { describe, sameShape, sizeOf } from "../tensor/tensor.js";
import { bodyGradients } from "./body-gradients.js";
import type { Importer } from "./importer.js";
import { UnknownShapeError } from "./known-part.js";
import { Scope } from "./scope.js";

/** The subgraphs of a node that is decided at run time. */
export interface Bodies {
  readonly attributes: Readonly<Record<string, Graph | OnnxGraph>>;
  /** What they read from outside, by the names that they use. */
  readonly captures: ReadonlyMap<string, Value>;
  /** For each output of the node what the bodies tell of its type. */
  readonly outputs: readonly (ValueType | Untold)[];
}

/** The type of an output that bodies do not tell. */
export interface Untold {
  /** Why, and what to do. */
  readonly because: string;
  /** Whether what the file states can be true. */
  readonly allows: (stated: ValueType) => boolean;
  /** Of an output that stacks one entry for each turn: an entry's type. */
  readonly entry?: ValueType;
}

/** Constants of so few elements are copied into a body, where shape rules may ask for them. */
const small = 64;

/**
 * Takes the subgraphs of a node as graphs of their own: captured values are inputs, and the node's operands say what types the others have.
 * A body in which types depend on data stays the file's, where opset 18 writes its nodes so.
 *
 * @throws ModelError where it does not, or a loop's state changes its type.
 */
export async function importBodies(
  importer: Importer,
  node: OnnxNode,
  scope: Scope,
  operands: readonly (Value | undefined)[],
): Promise<Bodies> {
  const captures = new Map<string, Value>();
  const imported: [string, Graph][] = [];
  try {
    for (const [name, attribute] of Object.entries(node.attributes)) {
      if (attribute.kind !== "graph") continue;
      imported.push([
        name,
        await importBody(importer, attribute.value, formalTypes(node, attribute.value, operands), scope, captures),
      ]);
    }
  } catch (error) {
    if (!(error instanceof ModelError || error instanceof GraphError)) throw error;
    const { opset } = importer.model;
    const newer = subgraphs(node)
      .flatMap(nodesWithin)
      .find((inner) => !isWrittenAlike(inner, opset));
    if (newer)
      throw new UnknownShapeError(
        `${nodeTitle(node)}: inside it, types depend on data (${error.message.replace(/\.$/, "")}), and so its ${nodeTitle(newer)} of opset ${opset} cannot be written in opset ${canonicalOpset}; export the model with opset ${canonicalOpset}.`,
      );
    return asInFile(node, scope, error.message);
  }
  const outputs = imported.map(([, graph]) => [...graph.outputs.values()]);
  return { attributes: Object.fromEntries(imported), captures, outputs: outputsOf(node, outputs, operands) };
}

const nodesWithin = (graph: OnnxGraph): OnnxNode[] =>
  graph.nodes.flatMap((node) => [node, ...subgraphs(node).flatMap(nodesWithin)]);

/** Whether a node of an opset means in opset 18 what it says. */
function isWrittenAlike({ op, domain }: OnnxNode, opset: number): boolean {
  if (domain !== "" || opset === canonicalOpset || bodyGradients.has(op)) return true;
  const operator = findOperator(op, domain, opset);
  return operator !== undefined && operator === findOperator(op, domain) && !isComposite(operator);
}

function asInFile(node: OnnxNode, scope: Scope, because: string): Bodies {
  const bodies = Object.entries(node.attributes).flatMap(([name, a]) => (a.kind === "graph" ? [[name, a.value] as const] : []));
  const captures = namesRead({ ...node, inputs: [] }).map((name) => [name, scope.find(name)] as const);
  const untold: Untold = {
    because: `inside it, types depend on data (${because.replace(/\.$/, "")}), and the file does not state its own; state them, or export the model without it`,
    allows: () => true,
  };
  return { attributes: Object.fromEntries(bodies), captures: new Map(captures), outputs: node.outputs.map(() => untold) };
}

async function importBody(
  outer: Importer,
  body: OnnxGraph,
  formals: readonly (ValueType | undefined)[],
  scope: Scope,
  captures: Map<string, Value>,
): Promise<Graph> {
  const importer = outer.nested();
  const captured = new Map<string, Value>();
  const inner = new Scope(body, {
    find: (name) => {
      const value = scope.find(name);
      if (value.constant && sizeOf(value.shape) <= small) return importer.graph.constant(value.constant);
      const known = captured.get(name);
      if (known) return known;
      const input = importer.input(name, value);
      captured.set(name, input);
      captures.set(name, value);
      return input;
    },
  });
  body.inputs.forEach(({ name }, i) => {
    const type = formals[i];
    if (!type) throw new ModelError(`The type of "${name}", which a subgraph takes, is known at run time only.`);
    inner.values.set(name, importer.input(name, type));
  });
  await importer.addGraph(inner);
  return importer.finish(new Map(body.outputs.map(({ name }) => [name, inner.find(name)])));
}

/** What types the inputs of a body have. */
function formalTypes(
  { op, attributes }: OnnxNode,
  body: OnnxGraph,
  operands: readonly (Value | undefined)[],
): readonly (ValueType | undefined)[] {
  switch (op) {
    case "Loop":
      return [{ type: "int64", shape: [] }, { type: "bool", shape: [] }, ...operands.slice(2)];
    case "Scan": {
      const scanned = Number(attributes.num_scan_inputs?.value ?? 0);
      const axes = (attributes.scan_input_axes?.value ?? []) as readonly number[];
      const states = operands.length - scanned;
      return operands.map((v, i) => {
        if (!v || i < states) return v;
        const axis = axes[i - states] ?? 0;
        return { type: v.type, shape: v.shape.filter((_, at) => at !== (axis < 0 ? axis + v.shape.length : axis)) };
      });
    }
    default:
      return body.inputs.map(({ type, shape, typing }) =>
        !typing && shape?.every((d) => typeof d === "number") ? { type, shape: shape as number[] } : undefined,
      );
  }
}

function outputsOf(
  node: OnnxNode,
  outputs: readonly (readonly Value[])[],
  operands: readonly (Value | undefined)[],
): (ValueType | Untold)[] {
  if (node.op === "If") {
    const [then = [], otherwise = []] = outputs;
    return node.outputs.map((_, i) => {
      const [a, b] = [then[i]!, otherwise[i]!];
      if (same(a, b)) return a;
      return {
        because: `its branches make ${describe(a)} and ${describe(b)}, and which is taken is known at run time only; export the model with the condition fixed, or so that both make one shape`,
        allows: (stated) => same(stated, a) || same(stated, b),
      };
    });
  }
  const skipped = node.op === "Loop" ? 1 : 0;
  const states = node.op === "Loop" ? operands.slice(2) : operands.slice(0, -Number(node.attributes.num_scan_inputs?.value ?? 0));
  return node.outputs.map((name, i) => {
    const [state, next] = [states[i], outputs[0]![i + skipped]!];
    if (state && !same(state, next))
      throw new ModelError(
        `${nodeTitle(node)}: its state changes from ${describe(state)} to ${describe(next)} in a turn, and Faultline wants fixed types; export the model without such a loop.`,
      );
    return (
      state ?? {
        because: `how many entries "${name}" has, one for each turn, is known at run time only; export the model with a fixed number of turns, or state the shape of "${name}" in the file`,
        allows: (stated) => stated.type === next.type && sameShape(stated.shape.slice(1), next.shape),
        entry: next,
      }
    );
  });
}

const same = (a: ValueType, b: ValueType): boolean => a.type === b.type && sameShape(a.shape, b.shape);

/** Whether a node holds graphs. */
export const hasBodies = (node: OnnxNode): boolean => subgraphs(node).length > 0;
