import { rewrite } from "../../engine/compile/rewrite.js";
import type { Graph, Node, Value } from "../../engine/graph/graph.js";
import { Concat } from "../../engine/operators/layout/concat.js";
import { DequantizeLinear } from "../../engine/operators/quantization/dequantize-linear.js";
import { QuantizeLinear } from "../../engine/operators/quantization/quantize-linear.js";

/** A place where a graph rounds numbers to 8 bits and goes on with what they stand for. */
export interface Quantizer {
  /** What is rounded, and the same as it comes out. */
  readonly before: Value;
  readonly after: Value;
  /** The distance of two neighbors, and the range outside of which numbers are cut; undefined where it differs along an axis, or is computed. */
  readonly grid: { readonly step: number; readonly from: number; readonly to: number } | undefined;
  /** Where what is rounded was joined of parts, those parts. */
  readonly joins: readonly Value[];
}

/** Nodes that are looked at on the way back from the outputs; a head's last steps are a few dozen. */
const mostNodes = 400;

/** The quantizers nearest to the outputs of a graph, the nearest first. */
export function lastQuantizers(graph: Graph, outputs: Iterable<string>, most: number): Quantizer[] {
  const found: Quantizer[] = [];
  const open: Value[] = [...outputs].map((name) => graph.outputs.get(name)!);
  const seen = new Set<Node>();
  for (let i = 0; i < open.length && found.length < most && seen.size < mostNodes; i++) {
    const { node } = open[i]!;
    if (!node || seen.has(node)) continue;
    seen.add(node);
    const quantizer = quantizerOf(node);
    if (quantizer) found.push(quantizer);
    // What comes out of it has the same numbers as what goes on from before it.
    open.push(...(quantizer ? [quantizer.before] : node.inputs.filter((v) => v !== undefined)));
  }
  return found;
}

function quantizerOf(node: Node): Quantizer | undefined {
  const stored = node.operator === DequantizeLinear ? node.inputs[0]?.node : undefined;
  const before = stored?.operator === QuantizeLinear ? stored.inputs[0] : undefined;
  if (!before) return undefined;
  const [, scale, zeroPoint] = stored!.inputs;
  const joins = before.node?.operator === Concat ? before.node.inputs.filter((v) => v !== undefined) : [];
  return { before, after: node.outputs[0]!, grid: gridOf(scale, zeroPoint), joins };
}

function gridOf(scale: Value | undefined, zeroPoint: Value | undefined): Quantizer["grid"] {
  if (scale?.constant?.data.length !== 1) return undefined;
  const step = Number(scale.constant.data[0]);
  const zero = zeroPoint === undefined ? 0 : Number(zeroPoint.constant?.data[0]);
  const least = zeroPoint?.type === "int8" ? -128 : 0;
  return { step, from: (least - zero) * step, to: (least + 255 - zero) * step };
}

/** The graph without the rounding at one place: what comes out there is what goes in. */
export const withoutRounding = (graph: Graph, { after }: Quantizer): Graph =>
  rewrite(graph, [
    {
      scope: "all",
      apply: (node) => {
        const before = node.outputs[0] === after ? node.inputs[0]?.node?.inputs[0] : undefined;
        return before && [before];
      },
    },
  ]);
