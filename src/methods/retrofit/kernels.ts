import { ConstantPart, type Evaluate } from "../../engine/compile/constant-part.js";
import type { Graph } from "../../engine/graph/graph.js";
import { resamplingPlaces } from "../../vision/resampling/index.js";

/**
 * Computes the kernels that `retrofit` must know and that a file computes from constants: those of transposed convolutions that are stored as 8-bit integers
 * (DequantizeLinear), in another element type (Cast) or in another order (Transpose). They become constants of the graph.
 *
 * @param evaluate runs a graph without inputs: `engine.evaluate`.
 * @example
 * await evaluateKernels(graph, (part) => engine.evaluate(part));
 * const { graph: better, changes } = retrofit(graph, { up: "lctc-7" });
 */
export async function evaluateKernels(graph: Graph, evaluate: Evaluate): Promise<void> {
  const places = resamplingPlaces(graph);
  const kernels = places.flatMap(({ form, node }) => (form.direction === "up" ? (form.reads?.(node) ?? []) : []));
  await new ConstantPart(graph, evaluate).evaluate(kernels);
}
