import type { OnnxGraph, OnnxNode } from "./model.js";
import { Names, reserveNames } from "./names.js";
import { elementTypes, type Messages } from "./schema.js";

/**
 * bfloat16 is computed in float32 (`dataTypeOf`). What a file casts to bfloat16 is still rounded to its 8 bits: such a Cast stays a Cast to bfloat16,
 * whose result stands for a float32, and is written as two, to bfloat16 and back.
 */
const bfloat16 = elementTypes.indexOf("bfloat16");
const float32 = elementTypes.indexOf("float32");

/** Attributes that say an element type, whatever the operator. */
export const typeAttributes: ReadonlySet<string> = new Set(["to", "dtype", "output_dtype", "stash_type", "softmax_precision"]);

export const isBfloat16 = (elementType: number | undefined): boolean => elementType === bfloat16;

/** The values that a graph states to be bfloat16, by name: inputs and outputs, weights, inner values, and what nodes make by their attributes. */
export function namesInBfloat16(graph: Messages["Graph"]): ReadonlySet<string> {
  const values = [...(graph.input ?? []), ...(graph.output ?? []), ...(graph.valueInfo ?? [])];
  const weights = [...(graph.initializer ?? []), ...(graph.sparseInitializer ?? []).flatMap((sparse) => sparse.values ?? [])];
  return new Set([
    ...values.flatMap(({ name, type }) => (isBfloat16(type?.tensorType?.elemType) ? [name ?? ""] : [])),
    ...weights.flatMap(({ name, dataType }) => (isBfloat16(dataType) ? [name ?? ""] : [])),
    ...(graph.node ?? []).flatMap(({ output, attribute }) => (attribute?.some(saysBfloat16) ? (output ?? []) : [])),
  ]);
}

/** Whether anything in the graph, or in a branch or body within, is stated to be bfloat16. */
export function holdsBfloat16(graph: Messages["Graph"]): boolean {
  if (namesInBfloat16(graph).size > 0) return true;
  return (graph.node ?? []).some(({ attribute }) => attribute?.some(({ g }) => g !== undefined && holdsBfloat16(g)));
}

const saysBfloat16 = ({ name = "", i, t }: Messages["Attribute"]): boolean =>
  (typeAttributes.has(name) && isBfloat16(i)) || isBfloat16(t?.dataType);

/** The attributes of a Cast that rounds to bfloat16. */
export const toBfloat16 = { to: { kind: "int", value: bfloat16 } } as const;

/** The nodes of a graph as a file has them, where a bfloat16 is a type of its own: each Cast to it is followed by one back. */
export function withCastsBack(graph: OnnxGraph): readonly OnnxNode[] {
  const rounds = ({ op, domain, attributes: { to } }: OnnxNode) =>
    op === "Cast" && domain === "" && to?.kind === "int" && isBfloat16(to.value);
  if (!graph.nodes.some(rounds)) return graph.nodes;
  const names = reserveNames(graph, new Names());
  return graph.nodes.flatMap((node) => {
    if (!rounds(node)) return [node];
    const narrow = names.fresh(`${node.outputs[0]}.bfloat16`);
    const back: OnnxNode = { ...node, name: "", inputs: [narrow], attributes: { to: { kind: "int", value: float32 } } };
    return [{ ...node, outputs: [narrow] }, back];
  });
}
