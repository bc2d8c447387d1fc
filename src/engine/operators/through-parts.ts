import { vectorJacobianProduct } from "../autodiff/gradients.js";
import type { Value } from "../graph/graph.js";
import type { GradientContext } from "../graph/operator.js";
import { stopGradient } from "./marker.js";

/**
 * The gradient of an operator that runs as one node but is differentiated as what it is made of: `parts` builds its outputs from other
 * operators, and the sweep goes back through them, up to the node's inputs.
 */
export function gradientThroughParts<C extends Pick<GradientContext, "inputs" | "wanted" | "options">>(
  context: C,
  cotangents: readonly (Value | undefined)[],
  parts: (context: C) => readonly (Value | undefined)[],
): readonly (Value | undefined)[] {
  // One input may depend on another; the sweep must not go on beyond them.
  const ends = context.inputs.map((v, i) => (v && context.wanted[i] ? stopGradient(v) : v));
  const outputs = parts({ ...context, inputs: ends });
  const seeds = cotangents.flatMap((cotangent, i) => {
    const of = outputs[i];
    return cotangent && of ? [{ of, cotangent }] : [];
  });
  const wanted = ends.filter((v, i): v is Value => v !== undefined && context.wanted[i] === true);
  const slopes = vectorJacobianProduct(seeds, wanted, context.options);
  return ends.map((v) => (v ? slopes[wanted.indexOf(v)] : undefined));
}
