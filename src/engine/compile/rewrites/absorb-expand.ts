import { sameShape } from "../../tensor/tensor.js";
import type { Rewrite } from "../rewrite.js";

const broadcasting = new Set(["Add", "Sub", "Mul", "Div", "Where", "Min", "Max", "Greater", "Less", "Equal"]);

/**
 * An elementwise operator broadcasts by itself, so an Expand in front of it only writes memory: `Expand(a) · b` is `a · b` where `b` has the
 * full shape already. Gradients of sums and means end in such an Expand.
 */
export const absorbExpand: Rewrite = {
  name: "absorb-expand",
  providers: "all",
  measured: "Expand is 5 to 7 % of a Restormer's naive gradient (gradient study, CPU, 2 threads)",
  apply: (node, inputs, { graph }) => {
    if (!broadcasting.has(node.operator.name)) return undefined;
    const full = node.outputs[0]!.shape;
    const isExpand = inputs.map((v) => v?.node?.operator.name === "Expand");
    // One operand of the full shape must remain, or the result would shrink.
    if (!isExpand.some(Boolean) || !inputs.some((v, i) => v && !isExpand[i] && sameShape(v.shape, full))) return undefined;
    const absorbed = inputs.map((v, i) => (isExpand[i] ? v!.node!.inputs[0] : v));
    return graph.add(node.operator, absorbed, node.attributes);
  },
};
