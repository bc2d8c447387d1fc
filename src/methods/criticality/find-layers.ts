import { ConstantPart, type Evaluate } from "../../engine/compile/constant-part.js";
import { copyNodes, neededNodes } from "../../engine/graph/copy.js";
import { Graph, type Node, type Value } from "../../engine/graph/graph.js";
import type { Operator } from "../../engine/graph/operator.js";
import { Conv } from "../../engine/operators/convolution/conv.js";
import { ConvTranspose } from "../../engine/operators/convolution/conv-transpose.js";
import { Add } from "../../engine/operators/elementwise/add.js";
import { Cast } from "../../engine/operators/elementwise/cast.js";
import { Div } from "../../engine/operators/elementwise/div.js";
import { Mul } from "../../engine/operators/elementwise/mul.js";
import { Pow } from "../../engine/operators/elementwise/pow.js";
import { Sqrt } from "../../engine/operators/elementwise/sqrt.js";
import { Identity } from "../../engine/operators/layout/identity.js";
import { Reshape } from "../../engine/operators/layout/reshape.js";
import { Transpose } from "../../engine/operators/layout/transpose.js";
import { Gemm } from "../../engine/operators/linear/gemm.js";
import { MatMul } from "../../engine/operators/linear/mat-mul.js";
import { BatchNormalization } from "../../engine/operators/normalization/batch-normalization.js";
import { InstanceNormalization } from "../../engine/operators/normalization/instance-normalization.js";
import { LayerNormalization } from "../../engine/operators/normalization/layer-normalization.js";
import { MeanVarianceNormalization } from "../../engine/operators/normalization/mean-variance-normalization.js";
import { isFloat, sizeOf, type Tensor } from "../../engine/tensor/tensor.js";
import type { Layer, LayerKind, Parameter, Role, WeightLayout } from "./layer.js";
import { layerName, nodePath, stagesOf } from "./layer-names.js";
import { copyOf } from "./own-tensors.js";

/** A place where a node reads a parameter. */
interface Slot {
  readonly node: Node;
  readonly input: number;
  readonly role: Role;
  readonly layout: WeightLayout;
}

/** A node that applies a layer, with all the places where its parameters are read (the bias may be a following Add). */
interface Application {
  readonly node: Node;
  readonly kind: LayerKind;
  readonly slots: readonly Slot[];
}

/** A model whose layers' parameters are weights that no two layers share. */
export interface LayeredModel {
  readonly graph: Graph;
  /** In the order in which they are applied. */
  readonly layers: readonly Layer[];
}

/**
 * Finds the layers of a static model: convolutions, transposed convolutions, linear layers and normalizations with parameters, each with
 * its weight, bias and statistics. A tensor that several layers (or anything else) read is copied, so that each layer has its own; a weight
 * that is computed from constants (transposed, dequantized, weight-normalized) becomes the tensor it is.
 *
 * A module that is applied several times is one layer: its nodes read the same weight. Exporters that merge equal tensors make different
 * layers look so; where such a tensor holds one value throughout (as in fresh normalizations), the paths in the nodes' names decide.
 *
 * @param source specialized with `keep: "weights"` from `ownTensors(file)`.
 * @example const { graph, layers } = await findLayers(await specialize(ownTensors(file), shapes, evaluate, { keep: "weights" }), evaluate);
 */
export async function findLayers(source: Graph, evaluate: Evaluate): Promise<LayeredModel> {
  const constants = new ConstantPart(source, evaluate);
  const nodes = neededNodes(source.outputs.values());
  const applications = findApplications(nodes, constants);
  await constants.evaluate(applications.flatMap((s) => s.slots.map(readBy)));
  const groups = groupByLayer(applications);
  return rewire(source, nodes, groups, namesOf(groups));
}

// ---- finding ---------------------------------------------------------------------------------------------------------------------

const readBy = ({ node, input }: Pick<Slot, "node" | "input">): Value => node.inputs[input]!;

function findApplications(nodes: readonly Node[], constants: ConstantPart): Application[] {
  const readers = new Map<Value, Node[]>();
  for (const node of nodes) for (const v of new Set(node.inputs)) if (v) readers.set(v, [...(readers.get(v) ?? []), node]);
  const isParameter = (v: Value | undefined): v is Value =>
    v !== undefined && constants.has(v) && isFloat(v.type) && sizeOf(v.shape) >= 1;

  /** An Add of a value per channel right behind a layer that has no bias of its own. */
  const following = (node: Node, channels: number): Slot[] => {
    const [output] = node.outputs;
    const [next, ...others] = readers.get(output!) ?? [];
    if (!next || others.length > 0 || next.operator !== Add) return [];
    const input = next.inputs[0] === output ? 1 : 0;
    const bias = next.inputs[input];
    if (!isParameter(bias) || sizeOf(bias.shape) !== channels) return [];
    return [{ node: next, input, role: "bias", layout: "per channel" }];
  };
  const slot = (node: Node, input: number, role: Role, layout: WeightLayout = "per channel"): Slot[] =>
    isParameter(node.inputs[input]) ? [{ node, input, role, layout }] : [];
  const weighted = (node: Node, kind: LayerKind, input: number, layout: WeightLayout): Application[] => {
    const weight = slot(node, input, "weight", layout);
    if (weight.length === 0) return [];
    const own = node.operator === MatMul ? [] : slot(node, 2, "bias");
    const { shape } = readBy({ node, input });
    const channels = (layout === "in-out" ? shape.at(-1) : layout === "transposed convolution" ? undefined : shape[0]) ?? -1;
    const bias = own.length > 0 ? own : following(node, channels > 0 ? channels : (node.outputs[0]!.shape[1] ?? -1));
    return [{ node, kind, slots: [...weight, ...bias] }];
  };

  const applicationsIn = (node: Node): Application[] => {
    switch (node.operator) {
      case Conv:
        return weighted(node, "convolution", 1, "convolution");
      case ConvTranspose:
        return weighted(node, "transposed convolution", 1, "transposed convolution");
      case Gemm:
        return weighted(node, "linear", 1, node.attributes.transB === 1 ? "out-in" : "in-out");
      case MatMul:
        if (isParameter(node.inputs[1]) && node.inputs[1].shape.length === 2) return weighted(node, "linear", 1, "in-out");
        if (isParameter(node.inputs[0]) && node.inputs[0].shape.length === 2) return weighted(node, "linear", 0, "out-in");
        return [];
      case BatchNormalization: {
        const slots = [
          ...slot(node, 1, "weight"),
          ...slot(node, 2, "bias"),
          ...slot(node, 3, "mean"),
          ...slot(node, 4, "variance"),
        ];
        return slots.length === 4 ? [{ node, kind: "batch normalization", slots }] : [];
      }
      case LayerNormalization:
      case InstanceNormalization: {
        const slots = [...slot(node, 1, "weight"), ...slot(node, 2, "bias")];
        const varied = slots.some((s) => sizeOf(readBy(s).shape) > 1);
        return varied ? [{ node, kind: "normalization", slots }] : [];
      }
      case Mul: {
        // γ of a normalization that the exporter wrote out: it multiplies what was just divided by a deviation
        const input = isParameter(node.inputs[1]) ? 1 : 0;
        const weight = node.inputs[input];
        if (!isParameter(weight) || !isNormalized(node.inputs[1 - input]!)) return [];
        const channels = sizeOf(weight.shape);
        if (channels < 2) return [];
        return [{ node, kind: "normalization", slots: [...slot(node, input, "weight"), ...following(node, channels)] }];
      }
      default:
        return [];
    }
  };
  return nodes.filter((node) => !constants.has(node.outputs[0]!)).flatMap(applicationsIn);
}

/** What leaves the numbers of a tensor as they are, in their order. */
const rewriting: ReadonlySet<Operator> = new Set([Identity, Cast, Reshape]);

/** Whether a value comes from a division by a deviation, perhaps reshaped since. */
function isNormalized({ node }: Value): boolean {
  if (!node) return false;
  const { operator, inputs } = node;
  if (operator === Transpose || rewriting.has(operator)) return isNormalized(inputs[0]!);
  if (operator === InstanceNormalization || operator === MeanVarianceNormalization) return true;
  const divisor = operator === Div ? inputs[1]!.node?.operator : undefined;
  return divisor === Sqrt || divisor === Pow;
}

/** The tensor of the file behind a parameter: itself, or what it is the transpose, cast or copy of; else the value itself. */
function sourceOf(v: Value): { readonly name: string; readonly transposed: boolean } {
  let transposed = false;
  for (let at = v; ; ) {
    // also where it was evaluated since
    if (at.origin.kind !== "node") return { name: at.name, transposed };
    const { operator, attributes, inputs } = at.origin.node;
    if (operator === Transpose && at.shape.length === 2) {
      const perm = attributes.perm as readonly number[] | undefined;
      if (!perm || perm[0] === 1) transposed = !transposed;
    } else if (!rewriting.has(operator)) return { name: v.name, transposed: false };
    at = inputs[0]!;
  }
}

// ---- grouping and naming ---------------------------------------------------------------------------------------------------------

function groupByLayer(applications: readonly Application[]): Application[][] {
  const groups: Application[][] = [];
  const byKey = new Map<string, Application[]>();
  for (const application of applications) {
    const main = readBy(application.slots[0]!);
    const path = sameThroughout(main.constant!) ? ` ${nodePath(application.node)}` : "";
    const key = `${application.kind} ${sourceOf(main).name}${path}`;
    const known = byKey.get(key);
    if (known) known.push(application);
    else {
      const group = [application];
      byKey.set(key, group);
      groups.push(group);
    }
  }
  return groups;
}

const sameThroughout = (t: Tensor): boolean =>
  (t.data as ArrayLike<unknown> & { every: Float32Array["every"] }).every((v) => v === t.data[0]);

function namesOf(groups: readonly (readonly Application[])[]): string[] {
  const taken = new Map<string, number>();
  return groups.map(([application]) => {
    const tensorName = sourceOf(readBy(application!.slots[0]!)).name;
    let name = layerName(tensorName, application!.node) || application!.node.outputs[0]!.name;
    // a merged tensor bears the name of the first layer that had it
    if (taken.has(name) && nodePath(application!.node) !== "" && !taken.has(nodePath(application!.node)))
      name = nodePath(application!.node);
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

// ---- one tensor for each parameter of each layer ----------------------------------------------------------------------------------

function rewire(
  source: Graph,
  nodes: readonly Node[],
  groups: readonly (readonly Application[])[],
  names: readonly string[],
): LayeredModel {
  const graph = new Graph();
  const moved = new Map(source.inputs.map((v) => [v, graph.input(v.name, v.type, v.shape)]));
  const slots = new Map<Node, Set<number>>();
  for (const { node, input } of groups.flat().flatMap((s) => s.slots)) slots.set(node, (slots.get(node) ?? new Set()).add(input));
  // names that values have which are left
  const taken = new Set<string>();
  for (const node of nodes) {
    for (const { name } of node.outputs) taken.add(name);
    node.inputs.forEach((v, i) => {
      if (v && !slots.get(node)?.has(i)) taken.add(v.name);
    });
  }
  const stages = stagesOf(
    groups.map(([application], i) => ({
      name: names[i]!,
      resolution: application!.node.outputs[0]!.shape.slice(2).join("x") || "vector",
      kind: application!.kind,
    })),
  );

  const own = new Map<Node, Map<number, Value>>();
  const layers = groups.map((group, i): Layer => {
    const parameters = group[0]!.slots.map((slot, s): Parameter => {
      const read = readBy(slot);
      let { name } = read;
      for (let n = 2; taken.has(name); n++) name = n === 2 ? `${names[i]}.${slot.role}` : `${names[i]}.${slot.role}#${n}`;
      taken.add(name);
      const trained = copyOf(read.constant!);
      const value = graph.constant(trained, name, "weight");
      for (const application of group) {
        const place = application.slots[s];
        if (place) own.set(place.node, (own.get(place.node) ?? new Map()).set(place.input, value));
      }
      return { name, role: slot.role, layout: slot.layout, trained, inFile: sourceOf(read) };
    });
    const reads = group.flatMap((application) => application.slots.map(({ node }) => node.outputs[0]!.name));
    return {
      name: names[i]!,
      kind: group[0]!.kind,
      stage: stages[i]!,
      parameters,
      reads: [...new Set(reads)],
      applications: group.length,
    };
  });

  // nodes that made weights which are tensors now are copied and have no readers
  const move = copyNodes(nodes, graph, moved, {
    replace: (node, inputs) => {
      const values = own.get(node);
      if (!values) return undefined;
      const outputNames = node.outputs.map((v) => v.name);
      return graph.add(
        node.operator,
        inputs.map((v, i) => values.get(i) ?? v),
        node.attributes,
        { ...node, outputNames },
      );
    },
  });
  for (const [name, v] of source.outputs) graph.output(name, move(v));
  return { graph, layers };
}
