import type { Graph, Value } from "../../engine/graph/graph.js";
import { namesRead } from "../../engine/onnx/check.js";
import type { OnnxGraph, OnnxModel, OnnxNode } from "../../engine/onnx/model.js";
import { reserveNames } from "../../engine/onnx/names.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import type { Sides } from "../../vision/resampling/index.js";
import { lowPassOfAnySize } from "./any-size.js";
import type { Retrofitted } from "./retrofit.js";

/** From here on the operators that stand in a layer's place have one form. */
const oldestForm = 13;

/**
 * What `retrofit` did to a specialized graph, done to the file it came from: all other nodes, names, opset, metadata and symbolic axes stay as they
 * are. Where it was done for "these" sides, height and width become those of the graph, for a low-pass is a matrix of the map's size; for "any", the
 * matrices are computed in the file.
 *
 * @param graph the file specialized, before.
 * @param retrofitted what `retrofit` gave for it.
 * @param sides those that it was asked for.
 * @returns undefined where that is not possible: the opset is below 13, or a layer lies in a branch, a loop or a function of the file.
 */
export function retrofitFile(
  file: OnnxModel,
  graph: Graph,
  { graph: made, renamed, lowPasses }: Retrofitted,
  sides: Sides,
): OnnxModel | undefined {
  if (file.opset < oldestForm) return undefined;
  const makers = new Map(file.graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const isOfFile = (name: string) =>
    makers.has(name) || file.graph.initializers.has(name) || file.graph.inputs.some((i) => i.name === name);
  const fileName = fileNames(graph, isOfFile);
  const built = made.build().graph;
  const known = new Set(graph.build().graph.nodes.flatMap((node) => node.outputs));
  for (const before of renamed.keys()) known.delete(builtName(graph, before));
  const added = built.nodes.filter((node) => node.op !== "Identity" && !node.outputs.some((name) => known.has(name)));
  const replaced = new Map([...renamed].map(([before, now]) => [builtName(made, now), fileName(before)]));
  if ([...replaced.values()].some((name) => name === undefined || !makers.has(name))) return undefined;

  const fresh = reserveNames(file.graph);
  const names = new Map<string, string>([["", ""]]);
  const initializers = new Map<string, Tensor>(file.graph.initializers);
  for (const output of added.flatMap((node) => node.outputs)) names.set(output, replaced.get(output) ?? fresh.fresh(output));
  for (const input of added.flatMap((node) => node.inputs)) {
    if (names.has(input)) continue;
    const constant = built.initializers.get(input);
    const own = fileName(input);
    if (own !== undefined && !(constant && makers.has(own))) names.set(input, own);
    else if (constant) {
      names.set(input, fresh.fresh(input));
      initializers.set(names.get(input)!, constant);
    } else return undefined;
  }
  const renamedNode = (node: OnnxNode): OnnxNode => ({
    ...node,
    inputs: node.inputs.map((name) => names.get(name)!),
    outputs: node.outputs.map((name) => names.get(name)!),
  });
  const gone = new Set([...replaced.values()].map((name) => makers.get(name!)!));
  const written = lowPasses.map((low) => {
    const [from, to] = [names.get(builtName(made, low.from))!, names.get(builtName(made, low.to))!];
    return lowPassOfAnySize({ ...low, from, to }, (wish) => fresh.fresh(wish));
  });
  for (const { constants } of written) for (const [name, value] of constants) initializers.set(name, value);
  // What made the result of a low-pass at this size alone is put aside, and `sorted` drops what nothing reads any more.
  const aside = new Set(lowPasses.map(({ to }) => builtName(made, to)));
  const standing = added.filter((node) => !node.outputs.some((name) => aside.has(name)));
  const nodes = [
    ...file.graph.nodes.filter((node) => !gone.has(node)),
    ...standing.map(renamedNode),
    ...written.flatMap((low) => low.nodes),
  ];
  const inputs = sides === "these" ? sized(file.graph, graph) : file.graph.inputs;
  // Of a file whose inputs were opened later the values still say one size, and ONNX Runtime would take Shape of them for a constant.
  const valueInfo = sides === "these" ? file.graph.valueInfo : new Map();
  return { ...file, graph: sorted({ ...file.graph, inputs, nodes, initializers, valueInfo }) };
}

/** What `build` calls a value: as an output of the model it bears that name. */
const builtName = (graph: Graph, name: string): string => [...graph.outputs].find(([, v]) => v.name === name)?.[0] ?? name;

/** The name by which the file knows a value of the graph. */
function fileNames(graph: Graph, isOfFile: (name: string) => boolean): (name: string) => string | undefined {
  const known = new Map<Value, string>();
  for (const [name, v] of graph.values) if (isOfFile(name) && (!known.has(v) || name === v.name)) known.set(v, name);
  return (name) => {
    const v = graph.values.get(name);
    return v && known.get(v);
  };
}

/** All axes but the first as in the graph. */
const sized = ({ inputs }: OnnxGraph, graph: Graph): OnnxGraph["inputs"] =>
  inputs.map((input) => {
    const fixed = graph.inputs.find(({ name }) => name === input.name)?.shape;
    return fixed && input.shape ? { ...input, shape: input.shape.map((d, axis) => (axis === 0 ? d : fixed[axis]!)) } : input;
  });

/** What the outputs need, each node behind those it reads. */
function sorted(graph: OnnxGraph): OnnxGraph {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const placed = new Set<OnnxNode>();
  const read = new Set(graph.outputs.map(({ name }) => name));
  // A node is visited twice: what it reads is put before it the first time.
  const stack = graph.outputs.map(({ name }) => ({ node: makers.get(name), isOpen: false })).reverse();
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { node, isOpen } = top;
    if (!node || placed.has(node)) continue;
    if (isOpen) {
      placed.add(node);
      continue;
    }
    stack.push({ node, isOpen: true });
    for (const name of [...namesRead(node)].reverse()) {
      read.add(name);
      stack.push({ node: makers.get(name), isOpen: false });
    }
  }
  return {
    ...graph,
    nodes: [...placed],
    initializers: new Map([...graph.initializers].filter(([name]) => read.has(name))),
    valueInfo: new Map([...graph.valueInfo].filter(([name]) => read.has(name))),
  };
}
