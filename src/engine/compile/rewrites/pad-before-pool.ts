import type { Value } from "../../graph/graph.js";
import { nodeAs } from "../../graph/operator.js";
import { concat } from "../../operators/layout/concat.js";
import { Pad, padsPerAxis } from "../../operators/layout/pad.js";
import { MaxPool } from "../../operators/pooling/max-pool.js";
import { zerosLike } from "../../operators/zeros.js";
import type { Rewrite } from "../rewrite.js";
import { scalarOf } from "./match.js";

/**
 * A max pool behind zeros that a Pad adds: ONNX Runtime 1.30 takes the Pad into the pool, whose own padding never wins, at every level but `disabled`,
 * so negative maps lose the zeros at their border (1.32 does not). Put there by Concat they stay. Stems of BiT and of timm's "fixed" ResNets have it.
 */
export const padBeforePool: Rewrite = {
  name: "pad-before-pool",
  scope: "all",
  keeps: "bits",
  providers: "all",
  measured: "not for speed: x = -1 everywhere under a border of zeros gives -1 there instead of 0 (ONNX Runtime 1.30, CPU)",
  apply: (node, { graph }) => {
    const pool = nodeAs(MaxPool, node);
    const padding = nodeAs(Pad, pool?.inputs[0]);
    if (!pool || !padding || padding.attributes.mode !== "constant") return undefined;
    const [x, , value] = padding.inputs;
    if (value && scalarOf(value) !== 0) return undefined;
    const pads = padsPerAxis({ ...padding, fail: unexpected });
    if (pads.some(([before, after]) => before < 0 || after < 0)) return undefined;
    const padded = pads.reduce<Value>((v, [before, after], axis) => {
      const zeros = (count: number) =>
        count > 0
          ? [
              zerosLike(
                v,
                v.shape.map((d, i) => (i === axis ? count : d)),
              ),
            ]
          : [];
      return before + after > 0 ? concat([...zeros(before), v, ...zeros(after)], axis) : v;
    }, x);
    return graph.add(node.operator, [padded], node.attributes, {
      outputCount: node.outputs.length,
      requested: node.requested,
      name: node.name,
    });
  },
};

const unexpected = (message: string): never => {
  throw new Error(`A Pad of the graph does not fit its own operator: ${message}.`);
};
