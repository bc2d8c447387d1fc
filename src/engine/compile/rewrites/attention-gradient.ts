import { nodeAs } from "../../graph/operator.js";
import { Mul, mul } from "../../operators/elementwise/mul.js";
import { MatMul, matMul } from "../../operators/linear/mat-mul.js";
import { reducedAxes } from "../../operators/reduction/axes.js";
import { ReduceSum, reduceSum } from "../../operators/reduction/reduce-sum.js";
import type { Rewrite } from "../rewrite.js";
import { inOrder, swapped } from "./match.js";

/**
 * The gradient of softmax needs the sum of `g · s` over each row. In attention g is `dO Vᵀ` and the output is `O = s V`, so
 * `Σⱼ (dO Vᵀ)ᵢⱼ sᵢⱼ = Σ_d dOᵢ_d Oᵢ_d` (Dao et al. 2022, arXiv 2205.14135, section B.2): two passes over as many elements as the heads have
 * channels instead of two over as many as there are tokens.
 */
export const attentionGradient: Rewrite = {
  name: "attention-gradient",
  scope: "gradient",
  keeps: "rounding",
  providers: "all",
  measured:
    "attention with its gradient 0.97 of the time at 197 tokens, 0.93 at 1024, 0.89 at 1600; ViT-Ti forward + dX 0.985 (CPU, 1 thread)",
  apply: (node, { graph }) => {
    const sum = nodeAs(ReduceSum, node);
    const factors = nodeAs(Mul, sum?.inputs[0])?.inputs;
    const operands = factors && inOrder(factors, (v) => nodeAs(MatMul, v) !== undefined);
    const [dO, vt] = nodeAs(MatMul, operands?.[0])?.inputs ?? [];
    if (!sum || !operands || !dO || !vt || sum.attributes.keepdims !== 1) return undefined;
    const rank = dO.shape.length;
    const axes = reducedAxes({ inputs: sum.inputs, attributes: sum.attributes, fail: impossible });
    if (rank < 2 || vt.shape.length !== rank || axes.length !== 1 || axes[0] !== rank - 1) return undefined;
    const known = graph.nodes.length;
    const output = matMul(operands[1], swapped(vt));
    // worth it where the forward part has the product
    return graph.nodes.length > known ? undefined : [reduceSum(mul(dO, output), [rank - 1], "keep")];
  },
};

const impossible = (message: string): never => {
  throw new Error(message);
};
