import { nodeTitle, subgraphs } from "../check.js";
import { canonicalOpset, ModelError, type OnnxGraph, type OnnxModel, type OnnxNode } from "../model.js";
import { type Names, reserveNames } from "../names.js";
import { argumentForms } from "./arguments.js";
import { constant } from "./constant.js";
import { type Conversion, newest, Rewrite } from "./conversion.js";
import { fused } from "./fused.js";
import { gelu } from "./gelu.js";
import { losses } from "./losses.js";
import { normalization } from "./normalization.js";
import { quantized } from "./quantized.js";
import { resize } from "./resize.js";
import { Scope } from "./scope.js";
import { softmax } from "./softmax.js";
import { types } from "./types.js";

/** Every conversion there is. An operator that is not listed has the same meaning in all opsets from 7 to 24 in which it exists. */
export const conversions: readonly Conversion[] = [
  ...constant,
  ...argumentForms,
  ...softmax,
  ...resize,
  ...normalization,
  ...types,
  ...gelu,
  ...fused,
  ...quantized,
  ...losses,
];

const oldest = 7;
const byOperator = new Map<string, Conversion[]>();
for (const conversion of conversions) {
  const key = `${conversion.domain ?? ""}:${conversion.op}`;
  byOperator.set(key, [...(byOperator.get(key) ?? []), conversion]);
}

/**
 * Brings a model of opset 7 to 24, its subgraphs included, to opset 18; constants become initializers.
 *
 * @throws ModelError naming operator, node and opset where there is no equal in opset 18.
 */
export function toCanonicalOpset(model: OnnxModel): OnnxModel {
  if (model.opset < oldest || model.opset > newest) {
    throw new ModelError(
      `The model is written for opset ${model.opset}, and Faultline reads ${oldest} to ${newest}; export it with opset ${canonicalOpset}.`,
    );
  }
  const graph = convertGraph(model.graph, model, reserveNames(model.graph));
  return { ...model, opset: canonicalOpset, graph };
}

type Opsets = Pick<OnnxModel, "opset" | "customOpsets">;

function convertGraph(graph: OnnxGraph, opsets: Opsets, taken: Names, outer?: Scope): OnnxGraph {
  const scope = new Scope(graph, taken, outer);
  for (const node of graph.nodes) {
    const inner = convertSubgraphs(node, opsets, taken, scope);
    const opset = node.domain === "" ? opsets.opset : opsets.customOpsets[node.domain];
    if (opset === undefined) {
      throw new ModelError(
        `${nodeTitle(node)} is of the operator set "${node.domain}", which the model does not import; export it again.`,
      );
    }
    const conversion = byOperator.get(`${node.domain}:${node.op}`)?.find(({ from, to }) => from <= opset && opset <= to);
    if (conversion === undefined) scope.push(inner);
    else apply(conversion, inner, new Rewrite(inner, opset, scope));
  }
  return scope.build();
}

function apply(conversion: Conversion, node: OnnxNode, to: Rewrite) {
  const needed = conversion.inputs ?? 1;
  const given = node.inputs.slice(0, needed).filter((name, i) => name !== "" || conversion.omissible?.includes(i)).length;
  if (given < needed) to.refuse(`has ${given} of the ${needed} inputs that it needs; the model is damaged`);
  if (node.outputs.length === 0) to.refuse("has no output; the model is damaged");
  conversion.convert(node, to);
}

function convertSubgraphs(node: OnnxNode, opsets: Opsets, taken: Names, scope: Scope): OnnxNode {
  if (subgraphs(node).length === 0) return node;
  const attributes = Object.entries(node.attributes).map(([name, attribute]) => {
    if (attribute.kind !== "graph") return [name, attribute] as const;
    return [name, { kind: "graph", value: convertGraph(attribute.value, opsets, taken, scope) }] as const;
  });
  return { ...node, attributes: Object.fromEntries(attributes) };
}
