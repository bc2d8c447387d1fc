import type { Evaluate } from "../../engine/compile/specialise.js";
import type { OnnxModel, OnnxNode } from "../../engine/onnx/model.js";
import { type Shape, sizeOf, type Tensor } from "../../engine/tensor/tensor.js";
import { ConstantPart } from "./constant-part.js";
import type { Layer, LayerKind, Parameter, Role, WeightLayout } from "./layer.js";
import { layerName, nodePath, stagesOf } from "./layer-names.js";
import { copyOf } from "./own-tensors.js";

/** A place where a node reads a parameter. */
interface Slot {
  readonly node: OnnxNode;
  readonly input: number;
  readonly role: Role;
  readonly layout: WeightLayout;
}

/** A node that applies a layer, with all the places where its parameters are read (the bias may be a following Add). */
interface Site {
  readonly node: OnnxNode;
  readonly kind: LayerKind;
  readonly slots: readonly Slot[];
}

/** A model whose layers' parameters are initializers that no two layers share. */
export interface LayeredModel {
  readonly model: OnnxModel;
  /** In the order in which they are applied. */
  readonly layers: readonly Layer[];
}

/**
 * Finds the layers of a static model: convolutions, transposed convolutions, linear layers and normalisations with parameters, each with
 * its weight, bias and statistics. A tensor that several layers (or anything else) read is copied, so that each layer has its own; a weight
 * that is computed from constants (transposed, dequantised, weight-normalised) becomes the tensor it is.
 *
 * A module that is applied several times is one layer: its nodes read the same weight. Exporters that merge equal tensors make different
 * layers look so; where such a tensor holds one value throughout (as in fresh normalisations), the paths in the nodes' names decide.
 *
 * @param model specialised with `keep: "weights"` from `ownTensors(file)`.
 * @example const { model, layers } = await findLayers(await specialise(ownTensors(file), shapes, evaluate, { keep: "weights" }), evaluate);
 */
export async function findLayers(model: OnnxModel, evaluate: Evaluate): Promise<LayeredModel> {
  const constants = new ConstantPart(model);
  const sites = findSites(model, constants);
  const values = await constants.evaluate(
    sites.flatMap((s) => s.slots.map(({ node, input }) => node.inputs[input]!)),
    evaluate,
  );
  const groups = groupSites(sites, constants, values);
  const names = namesOf(groups, constants);
  return rewire(model, groups, names, constants, values);
}

// ---- finding ---------------------------------------------------------------------------------------------------------------------

function findSites(model: OnnxModel, constants: ConstantPart): Site[] {
  const { nodes, valueInfo, inputs } = model.graph;
  const shapeOf = (name: string): Shape =>
    constants.shapeOf(name) ?? ((valueInfo.get(name) ?? inputs.find((i) => i.name === name))?.shape as Shape | undefined) ?? [];
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes) for (const name of new Set(node.inputs)) readers.set(name, [...(readers.get(name) ?? []), node]);
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const isParameter = (name: string | undefined): name is string =>
    name !== undefined && name !== "" && constants.isFloat(name) && sizeOf(shapeOf(name)) >= 1;

  /** An Add of a value per channel right behind a layer that has no bias of its own. */
  const following = (node: OnnxNode, op: "Add", channels: number): Slot[] => {
    const [output] = node.outputs;
    const [next, ...others] = readers.get(output!) ?? [];
    if (!next || others.length > 0 || next.op !== op || next.domain !== "") return [];
    const input = next.inputs[0] === output ? 1 : 0;
    const name = next.inputs[input];
    if (!isParameter(name) || sizeOf(shapeOf(name)) !== channels) return [];
    return [{ node: next, input, role: "bias", layout: "per channel" }];
  };
  const slot = (node: OnnxNode, input: number, role: Role, layout: WeightLayout = "per channel"): Slot[] =>
    isParameter(node.inputs[input]) ? [{ node, input, role, layout }] : [];
  const weighted = (node: OnnxNode, kind: LayerKind, input: number, layout: WeightLayout): Site[] => {
    const weight = slot(node, input, "weight", layout);
    if (weight.length === 0) return [];
    const own = node.op === "MatMul" ? [] : slot(node, 2, "bias");
    const shape = shapeOf(node.inputs[input]!);
    const channels = (layout === "in-out" ? shape.at(-1) : layout === "transposed convolution" ? undefined : shape[0]) ?? -1;
    const bias = own.length > 0 ? own : following(node, "Add", channels > 0 ? channels : (shapeOf(node.outputs[0]!)[1] ?? -1));
    return [{ node, kind, slots: [...weight, ...bias] }];
  };

  const siteOf = (node: OnnxNode): Site[] => {
    if (node.domain !== "") return [];
    switch (node.op) {
      case "Conv":
        return weighted(node, "convolution", 1, "convolution");
      case "ConvTranspose":
        return weighted(node, "transposed convolution", 1, "transposed convolution");
      case "Gemm":
        return weighted(node, "linear", 1, node.attributes.transB?.value === 1 ? "out-in" : "in-out");
      case "MatMul":
        if (isParameter(node.inputs[1]) && shapeOf(node.inputs[1]).length === 2) return weighted(node, "linear", 1, "in-out");
        if (isParameter(node.inputs[0]) && shapeOf(node.inputs[0]).length === 2) return weighted(node, "linear", 0, "out-in");
        return [];
      case "BatchNormalization": {
        const slots = [
          ...slot(node, 1, "weight"),
          ...slot(node, 2, "bias"),
          ...slot(node, 3, "mean"),
          ...slot(node, 4, "variance"),
        ];
        return slots.length === 4 ? [{ node, kind: "batch normalization", slots }] : [];
      }
      case "LayerNormalization":
      case "InstanceNormalization":
      case "GroupNormalization": {
        const slots = [...slot(node, 1, "weight"), ...slot(node, 2, "bias")];
        const varied = slots.some(({ node, input }) => sizeOf(shapeOf(node.inputs[input]!)) > 1);
        return varied ? [{ node, kind: "normalization", slots }] : [];
      }
      case "Mul": {
        // γ of a normalisation that the exporter wrote out: it multiplies what was just divided by a deviation
        const input = isParameter(node.inputs[1]) ? 1 : 0;
        const name = node.inputs[input];
        if (!isParameter(name) || !isNormalised(node.inputs[1 - input]!, makers)) return [];
        const channels = sizeOf(shapeOf(name));
        if (channels < 2) return [];
        return [{ node, kind: "normalization", slots: [...slot(node, input, "weight"), ...following(node, "Add", channels)] }];
      }
      default:
        return [];
    }
  };
  return nodes.filter((node) => !constants.isConstant(node.outputs[0]!)).flatMap(siteOf);
}

/** Whether a value comes from a division by a deviation, perhaps reshaped since. */
function isNormalised(name: string, makers: ReadonlyMap<string, OnnxNode>): boolean {
  const maker = makers.get(name);
  if (!maker) return false;
  if (["Reshape", "Transpose", "Cast", "Identity"].includes(maker.op)) return isNormalised(maker.inputs[0]!, makers);
  if (maker.op === "InstanceNormalization" || maker.op === "MeanVarianceNormalization") return true;
  const divisor = maker.op === "Div" ? makers.get(maker.inputs[1]!) : undefined;
  return divisor?.op === "Sqrt" || divisor?.op === "Pow";
}

// ---- grouping and naming ---------------------------------------------------------------------------------------------------------

function groupSites(sites: readonly Site[], constants: ConstantPart, values: ReadonlyMap<string, Tensor>): Site[][] {
  const groups: Site[][] = [];
  const byKey = new Map<string, Site[]>();
  for (const site of sites) {
    const main = mainTensor(site);
    const key = `${site.kind} ${constants.sourceOf(main).name}${sameThroughout(values.get(main)!) ? ` ${nodePath(site.node)}` : ""}`;
    const known = byKey.get(key);
    if (known) known.push(site);
    else {
      const group = [site];
      byKey.set(key, group);
      groups.push(group);
    }
  }
  return groups;
}

const mainTensor = ({ slots }: Site): string => slots[0]!.node.inputs[slots[0]!.input]!;

const sameThroughout = (t: Tensor): boolean =>
  (t.data as ArrayLike<unknown> & { every: Float32Array["every"] }).every((v) => v === t.data[0]);

function namesOf(groups: readonly (readonly Site[])[], constants: ConstantPart): string[] {
  const taken = new Map<string, number>();
  return groups.map(([site]) => {
    const tensorName = constants.sourceOf(mainTensor(site!)).name;
    let name = layerName(tensorName, site!.node) || site!.node.outputs[0]!;
    // a merged tensor bears the name of the first layer that had it
    if (taken.has(name) && nodePath(site!.node) !== "" && !taken.has(nodePath(site!.node))) name = nodePath(site!.node);
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

// ---- one tensor for each parameter of each layer ----------------------------------------------------------------------------------

function rewire(
  model: OnnxModel,
  groups: readonly (readonly Site[])[],
  names: readonly string[],
  constants: ConstantPart,
  values: ReadonlyMap<string, Tensor>,
): LayeredModel {
  const initializers = new Map(model.graph.initializers);
  const inputsOf = new Map<OnnxNode, string[]>();
  const slotReads = new Set(groups.flat().flatMap((s) => s.slots.map(({ node, input }) => `${node.outputs[0]} ${input}`)));
  const taken = new Set<string>();
  for (const node of model.graph.nodes) {
    for (const output of node.outputs) taken.add(output);
    node.inputs.forEach((name, i) => {
      if (!slotReads.has(`${node.outputs[0]} ${i}`)) taken.add(name);
    });
  }
  const shape = (site: Site): Shape => (model.graph.valueInfo.get(site.node.outputs[0]!)?.shape as Shape | undefined) ?? [];
  const stages = stagesOf(
    groups.map(([site], i) => ({ name: names[i]!, resolution: shape(site!).slice(2).join("x") || "vector", kind: site!.kind })),
  );

  const layers = groups.map((group, i): Layer => {
    const parameters = group[0]!.slots.map((slot, s): Parameter => {
      const read = slot.node.inputs[slot.input]!;
      const { name: source, transposed } = constants.sourceOf(read);
      let name = read;
      for (let n = 2; taken.has(name); n++) name = n === 2 ? `${names[i]}.${slot.role}` : `${names[i]}.${slot.role}#${n}`;
      taken.add(name);
      const trained = copyOf(values.get(read)!);
      initializers.set(name, trained);
      for (const site of group) {
        const place = site.slots[s];
        if (!place) continue;
        const inputs = inputsOf.get(place.node) ?? [...place.node.inputs];
        inputs[place.input] = name;
        inputsOf.set(place.node, inputs);
      }
      return { name, role: slot.role, layout: slot.layout, trained, inFile: { name: source, transposed } };
    });
    const reads = group.flatMap((site) => site.slots.map(({ node }) => node.outputs[0]!));
    return {
      name: names[i]!,
      kind: group[0]!.kind,
      stage: stages[i]!,
      parameters,
      reads: [...new Set(reads)],
      applications: group.length,
    };
  });

  const rewired = model.graph.nodes.map((node) => (inputsOf.has(node) ? { ...node, inputs: inputsOf.get(node)! } : node));
  const nodes = withoutUnused(
    rewired,
    model.graph.outputs.map((o) => o.name),
  );
  const used = new Set([...nodes.flatMap((node) => node.inputs), ...model.graph.outputs.map((o) => o.name)]);
  for (const name of initializers.keys()) if (!used.has(name)) initializers.delete(name);
  return { model: { ...model, graph: { ...model.graph, nodes, initializers } }, layers };
}

/** Nodes that made weights which are tensors now have no readers. */
function withoutUnused(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  const used = new Set(outputs);
  return nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((name) => used.has(name))) return false;
      for (const name of node.inputs) used.add(name);
      return true;
    })
    .toReversed();
}
